"""A context and a CUDA graph for each shape, over stand-ins: what is recorded, replayed, forgotten. On a GPU none of it ran."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.errors import DeviceMemoryError
from engine.sessions import tensorrt_contexts, tensorrt_session
from engine.sessions.session import open_session
from tests.sessions.fake_tensorrt import LOW, Engine, Gpu, picture, spec


def test_a_shape_that_comes_again_is_recorded_and_replayed(tmp_path: Path, engine: Engine, gpu: Gpu, monkeypatch):
    """TensorRT has no CUDA graphs of its own; TensorRT-RTX has."""
    monkeypatch.setattr(tensorrt_session, "_LANES", 1)
    seen = []
    with open_session(spec(tmp_path, "tensorrt")) as session:
        for shape in [(2, 1, 9, 30)] * 4 + [(1, 1, 8, 8)] * 2 + [(2, 1, 9, 30)]:
            entry = picture(*shape) + np.uint8(len(seen))
            same, first = session.run({"picture": entry})
            np.testing.assert_array_equal(same, entry.astype(np.float32))
            np.testing.assert_array_equal(first, entry.max(axis=(2, 3)).astype(np.float32))
            seen.append((gpu.recorded, gpu.launched))
    assert seen == [(0, 0), (1, 1), (1, 2), (1, 3), (1, 3), (2, 4), (2, 5)]
    assert (gpu.held, gpu.graphs) == ({}, {})
    with open_session(spec(tmp_path)) as session:
        for _ in range(3):
            session.run({"picture": picture(*LOW)})
    assert gpu.recorded == 2


def test_a_graph_is_forgotten_where_memory_moves(tmp_path: Path, engine: Engine, gpu: Gpu, monkeypatch):
    monkeypatch.setattr(tensorrt_session, "_LANES", 1)
    with open_session(spec(tmp_path, "tensorrt")) as session:
        for shape in (*[LOW] * 3, (8, 1, 64, 64), *[LOW] * 3):
            entry = picture(*shape)
            np.testing.assert_array_equal(session.run({"picture": entry})[0], entry.astype(np.float32))
    assert (gpu.recorded, gpu.launched, gpu.graphs) == (2, 4, {})


def test_graphs_are_bounded(tmp_path: Path, engine: Engine, gpu: Gpu, monkeypatch):
    monkeypatch.setattr(tensorrt_session, "_LANES", 1)
    monkeypatch.setattr(tensorrt_contexts, "_MOST_SHAPES", 3)
    with open_session(spec(tmp_path, "tensorrt")) as session:
        session.run({"picture": picture(8, 1, 64, 64)})  # memory for all
        for side in range(8, 18):
            for _ in range(2):
                session.run({"picture": picture(1, 1, side, side)})
        assert sorted(gpu.graphs) == [8, 9, 10]


def test_a_gpu_that_has_no_room_for_one_more_shape(tmp_path: Path, engine: Engine, gpu: Gpu, monkeypatch):
    """A smaller batch may have room; a run is not ended by it."""
    with open_session(spec(tmp_path, "tensorrt")) as session:
        session.run({"picture": picture(*LOW)})
        with monkeypatch.context() as full:
            full.setattr(engine, "create_execution_context", lambda how: None)
            with pytest.raises(DeviceMemoryError, match=r"face failed on picture \(8, 1, 8, 8\): .*out of memory"):
                session.run({"picture": picture(8, 1, 8, 8)})
        assert len(session.run({"picture": picture(8, 1, 8, 8)})) == 2


def test_what_cannot_be_recorded_is_computed_as_it_is(tmp_path: Path, engine: Engine, gpu: Gpu):
    engine.can_be_recorded = False
    with open_session(spec(tmp_path, "tensorrt")) as session:
        for number in range(4):
            entry = picture(*LOW) + np.uint8(number)
            np.testing.assert_array_equal(session.run({"picture": entry})[0], entry.astype(np.float32))
    assert gpu.launched == 0
