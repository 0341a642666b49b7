"""Reads, degrades, composes and caches pictures, faces and footage."""
