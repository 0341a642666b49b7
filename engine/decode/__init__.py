"""Recordings and cameras as pictures with their times, as a player shows them, and what becomes of their streams."""
