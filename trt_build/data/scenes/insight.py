"""The inner features of a YuNet-format network, from which its outputs are computed, for distillation."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engine.contracts.frames import Float32, Uint8
from engine.detect.yunet import with_free_size
from engine.detect.yunet_decode import STRIDES
from engine.sessions.session import SessionSpec, open_session
from trt_build.optional import require


class Insight:
    """Opens the network with its features as further outputs."""

    def __init__(self, model: Path) -> None:
        require("onnx", "Looking inside a detector")
        import onnx

        graph = onnx.load_from_string(with_free_size(model))
        makers = {output: node for node in graph.graph.node for output in node.output}
        self._outputs = [f"{kind}_{stride}" for kind in ("cls", "obj") for stride in STRIDES]
        for stride in STRIDES:
            name, convolutions = f"cls_{stride}", 0
            while convolutions < 2:  # an output is computed from the features by two convolutions
                node = makers[name]
                convolutions += node.op_type == "Conv"
                name = node.input[0]
            graph.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
            self._outputs.append(name)
        self._session = open_session(SessionSpec(graph.SerializeToString(), "onnxruntime", name=str(model)))

    def look(self, grey: Uint8) -> tuple[Float32, Float32]:
        """Return score (cells,) and features (cells, channels), in the order of the cells of the grey detector.

        Args:
            grey: (H, W), 0 to 255; multiples of 32.
        """
        picture = np.repeat(grey[None, None].astype(np.float32), 3, axis=1)
        levels = len(STRIDES)
        outputs = self._session.run({self._session.inputs[0].name: picture})
        by_name = dict(zip((spec.name for spec in self._session.outputs), outputs, strict=True))
        found = [by_name[name] for name in self._outputs]
        pairs = zip(found[:levels], found[levels : 2 * levels], strict=True)
        scores = [np.sqrt(np.clip(cls.reshape(-1), 0, 1) * np.clip(obj.reshape(-1), 0, 1)) for cls, obj in pairs]
        features = [level[0].reshape(level.shape[1], -1).T for level in found[2 * levels :]]
        return np.concatenate(scores), np.concatenate(features)
