"""facestream, live side: video in, enhanced faces and identity-verification scores out on ZeroMQ."""

import os

# ONNX Runtime would report the models that it opens over the network, and keep a number for this machine. It reads this once,
# when it is imported, and workers inherit it. Whoever has set it is left alone.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

__version__ = "0.1.0"
