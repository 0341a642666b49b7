from __future__ import annotations

import gc
import multiprocessing
import os
import resource
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.contracts.coding import BlockMap
from engine.contracts.frames import Planes
from engine.errors import WorkerError
from engine.runtime.frame_pool import PoolReader, PoolWriter, slot_bytes_for
from engine.runtime.frame_slots import PoolOpened, SlotPicture
from tests.patience import PATIENCE_SECONDS
from tests.processes import open_files


def planes(width: int, height: int, seed: int = 0) -> Planes:
    rng = np.random.default_rng(seed)
    chroma = ((height + 1) // 2, (width + 1) // 2)
    return Planes(*(rng.integers(0, 256, shape, np.uint8) for shape in ((height, width), chroma, chroma)), "bt709", True)


def ready(slot: int, generation: int, width: int, height: int, pool_id: int = 7) -> SlotPicture:
    return SlotPicture(pool_id, slot, generation, width, height, "bt709", True)


def assert_same(left: Planes, right: Planes) -> None:
    for name in ("y", "u", "v"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name))
    assert (left.matrix, left.full_range) == (right.matrix, right.full_range)


@given(st.integers(1, 70), st.integers(1, 70), st.integers(0, 5))
def test_any_size_comes_back_as_it_was(width, height, padding):
    picture = planes(width, height)
    padded = np.pad(picture.y, ((0, 0), (0, padding)))[:, :width]  # rows with a stride, as decoders give
    with PoolWriter(7, 2, slot_bytes_for(70, 70)) as writer, PoolReader(writer.opened()) as reader:
        slot = writer.acquire()
        assert slot is not None
        message = writer.write(slot, Planes(padded, picture.u, picture.v, "bt709", True))
        assert_same(reader.view(message), picture)
        assert reader.is_intact(message)


@given(st.integers(1, 70), st.integers(1, 70), st.integers(0, 7), st.integers(0, 7), st.booleans())
def test_the_parameters_of_the_blocks_travel_behind_the_picture_where_they_fit(width, height, rows, columns, moves):
    picture = planes(width, height)
    told = BlockMap(np.random.default_rng(1).integers(0, 52, (columns, rows), np.uint8).T, -3.0, 1.5, 16.0, 32.0)
    if moves:
        told = replace(told, motion=np.random.default_rng(2).integers(-128, 128, (2, rows, columns), np.int8))
    with PoolWriter(7, 1, slot_bytes_for(width, height)) as writer, PoolReader(writer.opened()) as reader:
        slot = writer.acquire()
        assert slot is not None
        seen = reader.view(writer.write(slot, replace(picture, blocks=told)))
    assert_same(seen, picture)
    fits = 0 < rows * columns <= (-(-width // 16) + 1) * (-(-height // 16) + 1)
    assert (seen.blocks is not None) == fits
    if seen.blocks is not None:
        np.testing.assert_array_equal(seen.blocks.qp, told.qp)
        assert (seen.blocks.motion is None) != moves
        if told.motion is not None:
            np.testing.assert_array_equal(seen.blocks.motion, told.motion)
        assert seen.blocks.qp_under((0, 0, 50, 50)) == told.qp_under((0, 0, 50, 50))


def test_a_view_is_read_only_and_not_a_copy():
    with PoolWriter(7, 1, slot_bytes_for(8, 8)) as writer, PoolReader(writer.opened()) as reader:
        slot = writer.acquire()
        view = reader.view(writer.write(slot, planes(8, 8, seed=1)))
        with pytest.raises(ValueError, match="read-only"):
            view.y[0, 0] = 1
        writer.write(slot, planes(8, 8, seed=2))
        assert_same(view, planes(8, 8, seed=2))


def test_an_overwritten_slot_is_seen():
    with PoolWriter(7, 1, slot_bytes_for(8, 8)) as writer, PoolReader(writer.opened()) as reader:
        slot = writer.acquire()
        first = writer.write(slot, planes(8, 8))
        assert first.generation % 2 == 0
        writer.release(slot)
        assert writer.acquire() == slot
        second = writer.write(slot, planes(6, 8))
        assert not reader.is_intact(first)
        assert reader.is_intact(second)


def test_a_slot_that_is_being_written_is_seen(monkeypatch):
    with PoolWriter(7, 1, slot_bytes_for(8, 8)) as writer, PoolReader(writer.opened()) as reader:
        slot = writer.acquire()
        before = writer.write(slot, planes(8, 8))
        seen: list[bool] = []
        copy = np.copyto

        def look_while_copying(target, source):
            seen.append(reader.is_intact(before))
            copy(target, source)

        monkeypatch.setattr(np, "copyto", look_while_copying)
        writer.write(slot, planes(8, 8, seed=1))
        assert seen == [False, False, False]


def test_the_writer_keeps_the_books():
    with PoolWriter(7, 3, slot_bytes_for(4, 4)) as writer:
        slots = [writer.acquire() for _ in range(4)]
        assert sorted(slots[:3]) == [0, 1, 2]
        assert slots[3] is None
        writer.release(1)
        assert (writer.acquire(), writer.acquire()) == (1, None)
        writer.release(2)
        for wrong in (2, -1, 3):
            with pytest.raises(WorkerError, match=f"slot {wrong} of frame pool 7 is not in use"):
                writer.release(wrong)
        with pytest.raises(WorkerError, match="not in use"):
            writer.write(2, planes(4, 4))


def test_a_picture_that_is_too_large_is_refused():
    with PoolWriter(7, 1, slot_bytes_for(8, 8)) as writer:
        slot = writer.acquire()
        with pytest.raises(WorkerError, match="100x100 picture does not fit"):
            writer.write(slot, planes(100, 100))


def test_messages_of_another_pool_are_refused():
    with PoolWriter(7, 1, slot_bytes_for(8, 8)) as writer, PoolReader(writer.opened()) as reader:
        for wrong in (ready(0, 2, 8, 8, pool_id=8), ready(1, 2, 8, 8), ready(0, 2, 4000, 4000)):
            with pytest.raises(WorkerError, match="frame pool 7 has no"):
                reader.view(wrong)
            with pytest.raises(WorkerError, match="frame pool 7 has no"):
                reader.is_intact(wrong)


def test_a_pool_that_cannot_be_mapped_is_one_sentence(tmp_path):
    with pytest.raises(WorkerError, match="cannot map the frame pool of process"):
        PoolReader(PoolOpened(1, os.getpid(), 9999, 1, 4096))
    with (tmp_path / "short").open("wb") as file, pytest.raises(WorkerError, match="cannot map"):
        PoolReader(PoolOpened(1, os.getpid(), file.fileno(), 1, 4096))
    with PoolWriter(7, 1, 4096) as writer, pytest.raises(WorkerError, match="has closed frame pool 6"):
        PoolReader(PoolOpened(6, os.getpid(), writer.opened().fd, 1, 4096))


def mapped() -> int:
    return Path("/proc/self/maps").read_text().count("facestream-frames")


def test_closing_frees_everything_also_twice():
    gc.collect()  # what other tests left
    files, before = open_files(), mapped()
    writer = PoolWriter(7, 2, slot_bytes_for(64, 64))
    reader = PoolReader(writer.opened())
    slot = writer.acquire()
    view = reader.view(writer.write(slot, planes(64, 64)))
    for _ in range(2):
        writer.close()
        reader.close()
    assert_same(view, planes(64, 64))  # whoever still holds a view keeps the memory
    assert mapped() == before + 1
    del view
    gc.collect()
    assert (open_files() - files, mapped()) == ({}, before)


def test_lack_of_memory_is_an_error_at_the_start(tmp_path):
    files = open_files()
    with pytest.raises(WorkerError, match=r"no memory for a frame pool of 64 frames of .*lower decode\.pool_slots"):
        PoolWriter(7, 64, 1 << 44)
    assert not open_files() - files


def _allocate_under_a_limit(pipe):
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))
    try:
        PoolWriter(7, 4, 1 << 20)
    except WorkerError as error:
        pipe.send(str(error))


def _write_pictures(pipe):
    writer = PoolWriter(7, 2, slot_bytes_for(33, 21))
    pipe.send(writer.opened())
    for seed in range(20):
        slot = writer.acquire()
        pipe.send(writer.write(slot, planes(33, 21, seed)))
        assert pipe.recv() == slot
        writer.release(slot)
    pipe.recv()


@pytest.fixture
def other_process():
    context = multiprocessing.get_context("spawn")
    started = []

    def start(target):
        ours, theirs = context.Pipe()
        process = context.Process(target=target, args=(theirs,))
        process.start()
        theirs.close()
        started.append((process, ours))
        return process, ours

    yield start
    for process, pipe in started:
        process.kill()
        process.join()
        process.close()
        pipe.close()


def test_memory_that_the_system_refuses_is_an_error(other_process):
    _, pipe = other_process(_allocate_under_a_limit)
    assert pipe.poll(PATIENCE_SECONDS)
    assert "no memory for a frame pool of 4 frames of 1.0 MiB: File too large" in pipe.recv()


def test_pictures_cross_processes_and_outlive_a_killed_writer(other_process):
    gc.collect()  # what other tests left
    before = mapped()
    process, pipe = other_process(_write_pictures)
    assert pipe.poll(PATIENCE_SECONDS)
    with PoolReader(pipe.recv()) as reader:
        for seed in range(20):
            message = pipe.recv()
            assert_same(reader.view(message), planes(33, 21, seed))
            assert reader.is_intact(message)
            pipe.send(message.slot)
        process.kill()
        process.join()
        assert_same(reader.view(message), planes(33, 21, 19))
    assert mapped() == before
