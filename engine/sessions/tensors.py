"""Inputs and outputs of a model, and the check that a caller's tensors fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.errors import InferenceError

Tensor = NDArray[Any]


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One input or output of a model."""

    name: str
    shape: tuple[int | None, ...] | None
    """None for a free dimension; None as a whole if not even the rank is known."""
    dtype: np.dtype[Any]

    def __str__(self) -> str:
        dims = "any shape" if self.shape is None else "x".join("?" if size is None else str(size) for size in self.shape)
        return f"{self.name} ({dims or 'scalar'}, {self.dtype})"

    def accepts(self, tensor: Tensor) -> bool:
        """Whether data type, rank and fixed dimensions agree."""
        if tensor.dtype != self.dtype:
            return False
        if self.shape is None:
            return True
        return tensor.ndim == len(self.shape) and all(
            want is None or want == have for want, have in zip(self.shape, tensor.shape, strict=True)
        )


def listed(specs: tuple[TensorSpec, ...]) -> str:
    """Return the specs in words, for messages."""
    return ", ".join(map(str, specs))


def check_inputs(model: str, inputs: tuple[TensorSpec, ...], tensors: Mapping[str, Tensor]) -> None:
    """Check that exactly the model's inputs are given, with the right data type, rank and fixed dimensions.

    Raises:
        InferenceError: the message names the tensor, what was got and what is expected.
    """
    if tensors.keys() != {spec.name for spec in inputs}:
        raise InferenceError(f"{model} got the inputs {', '.join(sorted(tensors)) or 'none'}, expected {listed(inputs)}")
    for spec in inputs:
        tensor = tensors[spec.name]
        if not spec.accepts(tensor):
            got = TensorSpec(spec.name, tensor.shape, tensor.dtype)
            raise InferenceError(f"{model}: input tensor {spec.name}, got {got}, expected {spec}")
