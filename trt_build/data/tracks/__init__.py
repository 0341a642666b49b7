"""Simulated tracks: one face in several frames of a clip that really went through a camera's damage and H.264."""
