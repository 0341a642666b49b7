"""The second look: a small network that tells faces from a detector's false alarms."""
