"""What is published, and who may read it: ``facestream watch``, ``bridge``, ``replay`` and ``keys``."""
