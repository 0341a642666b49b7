"""Engines of models: cast or quantised, built for a target, compared with their models, and stored."""

from trt_build.optional import require_from

require_from("onnx", "What makes engines", "engines")  # nearly every module of it rewrites ONNX files
