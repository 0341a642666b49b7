"""One picture out of the frames of a track: from a recipe to a checkpoint, and from there to ONNX."""
