"""The network that makes one picture of a track's frames: training, and export to ONNX."""
