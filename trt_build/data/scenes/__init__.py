"""Labelled pictures with faces of all sizes, for detectors."""
