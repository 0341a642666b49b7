"""Single pictures: ``facestream enhance`` and ``mark``."""
