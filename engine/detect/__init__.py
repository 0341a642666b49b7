"""Finds faces: boxes, scores and five landmarks of each, in the pixels of the source."""
