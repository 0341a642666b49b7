"""Quantises convolutions to 8-bit integers, with quantise and dequantise nodes around them (Q/DQ), by ONNX Runtime."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from engine.sessions.tensors import Tensor
from trt_build.engines.graph import kept_nodes
from trt_build.errors import ExportError

QUANTISED = ("Conv", "Gemm", "MatMul")
_LAST = 2
"""Number of convolutions at the end that stay in float32: quantising the last but one costs `compact_fine_x4` 0.9 dB."""


def int8_kept(model: onnx.ModelProto) -> list[str]:
    """Return the nodes that are not quantised."""
    return kept_nodes(model, _LAST)


def int8_graph(model: onnx.ModelProto, inputs: Sequence[Tensor], *, symmetric: bool) -> onnx.ModelProto:
    """Return a copy with Q/DQ around its convolutions, except for ``int8_kept``.

    Args:
        model: from ``plain_graph``.
        inputs: real inputs; the smallest and largest value of each tensor on them is its range.
        symmetric: activations are int8 around 0, as TensorRT requires; otherwise uint8 with a zero point, the fastest on CPUs.

    Raises:
        ExportError: the quantiser fails.
    """
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    kept = int8_kept(model)
    copy = onnx.ModelProto()
    copy.CopyFrom(model)  # the quantiser moves the weights of its input into a separate file
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "int8.onnx"
        level = logging.getLogger().level
        logging.getLogger().setLevel(logging.ERROR)  # it advises on the root logger to optimise the graph first
        try:
            quantize_static(
                copy,
                str(out),
                _Reader(_rows(model, inputs)),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=list(QUANTISED),
                per_channel=True,
                activation_type=QuantType.QInt8 if symmetric else QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                nodes_to_exclude=kept,
                extra_options={"ActivationSymmetric": symmetric, "QuantizeBias": not symmetric},
            )
        except Exception as error:  # the quantiser has no exception class of its own
            raise ExportError(f"The model cannot be quantised: {str(error).splitlines()[0]}.") from error
        finally:
            logging.getLogger().setLevel(level)
        return onnx.load(str(out))


def _rows(model: onnx.ModelProto, inputs: Sequence[Tensor]) -> list[dict[str, Any]]:
    """Return a feed for each input; if the model takes a mask, it is 1 everywhere."""
    name, *mask = (value.name for value in model.graph.input)
    return [{name: tensor} | {one: np.ones((len(tensor), 1, *tensor.shape[2:]), np.uint8) for one in mask} for tensor in inputs]


class _Reader:
    """Feeds the inputs to ONNX Runtime one after the other."""

    def __init__(self, rows: Sequence[dict[str, Any]]) -> None:
        self._rows = iter(rows)

    def get_next(self) -> dict[str, Any] | None:
        return next(self._rows, None)

    def __iter__(self) -> _Reader:
        return self

    def __next__(self) -> dict[str, Any]:
        return next(self._rows)
