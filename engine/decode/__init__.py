"""Decodes recordings and cameras to pictures with times, as a player shows them, and reports the state of their streams."""
