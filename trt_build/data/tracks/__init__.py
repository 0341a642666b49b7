"""Simulated tracks: one face in several frames of a clip degraded by a simulated camera and a real H.264 encoder."""
