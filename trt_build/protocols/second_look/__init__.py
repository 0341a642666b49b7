"""The second look: chooses its limits, and how it and the detector decide together."""
