"""The service, and many of them: ``facestream serve``, ``ctl``, ``tokens`` and ``fleet``."""
