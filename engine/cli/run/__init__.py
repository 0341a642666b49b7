"""Processing of cameras and recordings: ``facestream run`` and ``archive``."""
