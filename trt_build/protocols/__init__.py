"""Protocols: measure systems on data that took no part in their training."""
