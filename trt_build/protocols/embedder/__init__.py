"""Compares embedders on small faces: accuracy, TAR, and mixtures with dlib's."""
