"""People in finished runs: ``facestream search``, ``compare``, ``people`` and ``erase``."""
