"""The network of tracks as a file: opened by its manifest, told from others, and driven in the range of the stream."""

from __future__ import annotations

import cv2
import msgspec
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from engine.contracts.manifest import Manifest, sha256_of
from engine.errors import ModelError
from engine.super_resolve.seen_shots import TrackShot
from engine.super_resolve.track_average import Average
from engine.super_resolve.track_network import TrackNetwork, open_fusion
from engine.super_resolve.track_picture import fuse_track
from tests.super_resolve.tracks import track


def _network(folder, weight="weight"):
    """A network that enlarges the weighted mean of its frames by repeating pixels."""
    nodes = [
        helper.make_node("ReduceSum", [weight], ["all"], keepdims=1),
        helper.make_node("Div", [weight, "all"], ["share"]),
        helper.make_node("Reshape", ["share", "column"], ["shares"]),
        helper.make_node("Mul", ["luma", "shares"], ["parts"]),
        helper.make_node("ReduceSum", ["parts", "first"], ["mean"], keepdims=1),
        helper.make_node("Resize", ["mean", "", "scales"], ["picture"], mode="nearest"),
        helper.make_node("Sub", ["picture", "picture"], ["deviation"]),
    ]
    shapes = {"luma": ["n", 1, "h", "w"], "affine": ["n", 2, 3], weight: ["n"]}
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, "H", "W"]) for name in ("picture", "deviation")]
    constants = [
        numpy_helper.from_array(np.array([-1, 1, 1, 1]), "column"),
        numpy_helper.from_array(np.array([0]), "first"),
        numpy_helper.from_array(np.float32([1, 1, 4, 4]), "scales"),
    ]
    graph = helper.make_graph(nodes, "track", inputs, outputs, constants)
    path = folder / "mean_x4.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    facts = {"licence": "none", "training_data": "none", "scale": 4}
    manifest = Manifest(name="mean_x4", kind="track", file=path.name, sha256=sha256_of(path), **facts)
    path.with_suffix(".json").write_bytes(msgspec.json.encode(manifest))
    return path.with_suffix(".json")


def test_it_sees_grey_and_gives_the_streams_range(tmp_path):
    network = TrackNetwork(_network(tmp_path))
    lows = np.full((3, 8, 12), 235, np.uint8)
    lows[:, 2:5, 3:8] = 16
    shots = [TrackShot(low, None, 1.0) for low in lows]
    for full_range in (False, True):
        picture = fuse_track(shots, network, full_range=full_range)
        assert np.array_equal(picture.luma, np.kron(lows[0], np.ones((4, 4), np.uint8)))
        assert picture.fusion == "mean_x4"
    network.close()


def test_better_frames_count_more_and_the_reference_comes_first(tmp_path):
    network = TrackNetwork(_network(tmp_path))
    (low,), _, (points,) = track(16, 1)
    shots = [TrackShot(low, points, weight) for weight in (0.2, 0.8, 0.4)]
    picture = fuse_track(shots, network, full_range=True)
    assert picture.reference == 1
    assert picture.weights == pytest.approx((0.25 / 1.75, 1 / 1.75, 0.5 / 1.75), abs=1e-3)


def test_frames_that_contradict_each_other_agree_no_more_than_in_the_average(tmp_path):
    """The deviation that this network gives is 0 everywhere."""
    network = TrackNetwork(_network(tmp_path))
    lows, _, points = track(24, 4)
    marked = [cv2.rectangle(low, (2, 17), (6, 21), 255, -1) if place % 2 else low for place, low in enumerate(lows)]
    shots = [TrackShot(low, at, 1.0) for low, at in zip(marked, points, strict=True)]
    by_network, by_average = (fuse_track(shots, how).agreement for how in (network, Average()))
    assert np.array_equal(by_network, by_average)
    assert by_network[72:84, 12:24].mean() < 100 < 200 < by_network[16:60].mean()
    network.close()


def test_another_model_is_refused(tmp_path):
    with pytest.raises(ModelError, match="fuses no track"):
        TrackNetwork(_network(tmp_path, weight="trust"))


def test_the_average_stands_in_for_a_network_that_is_not_there(tmp_path):
    path = _network(tmp_path)
    assert isinstance(open_fusion(lambda name: None), Average)
    assert isinstance(open_fusion(lambda name: path), TrackNetwork)
    assert open_fusion(lambda name: path, scale=2).scale == 2
