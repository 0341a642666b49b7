"""Who is enrolled: ``facestream gallery`` and ``enrol``."""
