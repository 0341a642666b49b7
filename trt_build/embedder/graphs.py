"""Trained embedders as ONNX graphs: chips (N, 3, 150, 150) float32, 0 to 255, to vectors (N, 128)."""

from __future__ import annotations

import logging
import warnings

import onnx
import torch
from torch import nn

from engine.models.dlib_embedder import CHIP_PX
from engine.models.dlib_resnet import INPUT, OUTPUT, build_dlib_resnet
from trt_build.embedder.resnet import DlibResNet
from trt_build.export_onnx import OPSET, without_notes


def graph_of(network: nn.Module) -> bytes:
    """Return the serialised graph of an adapted network or of a student; the batch is free."""
    if isinstance(network, DlibResNet):
        return build_dlib_resnet(network.weights())
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network.eval(),
            (torch.zeros(2, 3, CHIP_PX, CHIP_PX),),
            dynamo=True,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes=({0: torch.export.Dim("batch", min=1)},),
            verbose=False,
        )
    assert program is not None
    model = without_notes(program.model_proto)
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())
