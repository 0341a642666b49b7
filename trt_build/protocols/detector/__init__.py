"""Compares detectors with their teacher on whole clips and on pictures that were kept apart."""
