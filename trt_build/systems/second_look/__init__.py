"""The second look: a small network that tells faces from what a detector takes for one."""
