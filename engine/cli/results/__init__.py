"""Finished runs: ``facestream report``, ``clip``, ``annotate``, ``export``, ``audit``, ``reproduce`` and ``expire``."""
