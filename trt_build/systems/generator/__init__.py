"""Generators: from a recipe to a checkpoint, and from there to ONNX."""
