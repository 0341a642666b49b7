"""The second look: its limits, and how it and the detector decide together."""
