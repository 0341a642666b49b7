"""Evaluation: metrics and the two protocols, faces and identity."""
