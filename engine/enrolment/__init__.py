"""Photographs of people into the gallery: the one face of a picture, whether it is good enough, and whose it may be."""
