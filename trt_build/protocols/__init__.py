"""Protocols: what a system is worth, measured on data that took no part in its training."""
