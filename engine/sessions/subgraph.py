"""The part of an ONNX model that one of its outputs needs.

Neither runtime leaves out the rest by itself: ONNX Runtime 1.31 computes every node of a file, whichever output is asked for.
"""

from __future__ import annotations

from pathlib import Path

from engine.errors import ModelError


def part_for(output: str, model: Path | bytes, name: str) -> bytes:
    """Return the model with this output alone, and only the nodes and weights that it needs.

    Args:
        output: its name.
        model: the file, or its content.
        name: what messages call the model.

    Raises:
        ModelError: it is not an ONNX file, or it has no such output.
    """
    import onnx
    from google.protobuf.message import DecodeError
    from onnx.utils import Extractor

    try:
        whole = onnx.load_model_from_string(model if isinstance(model, bytes) else model.read_bytes())
    except DecodeError as error:
        raise ModelError(f"{name} cannot be loaded: it is not an ONNX file, or it is damaged") from error
    outputs = [one.name for one in whole.graph.output]
    if output not in outputs:
        found = ", ".join(outputs) or "none"
        raise ModelError(f"{name} has no output {output!r}, but {found}: correct output in its manifest")
    part = Extractor(whole).extract_model([one.name for one in whole.graph.input], [output])
    content: bytes = part.SerializeToString()
    return content
