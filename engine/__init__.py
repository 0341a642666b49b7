"""facestream, live side: video in, enhanced faces and identity-verification scores out on ZeroMQ."""

__version__ = "0.1.0"
