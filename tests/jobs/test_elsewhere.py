"""Crops computed by somebody else: the same results, in order, and never those of another segment."""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.config import Config
from engine.config.file import load_config
from engine.contracts.orders import Warned
from engine.contracts.recording import Recording
from engine.errors import WorkerError
from engine.jobs.chain import process_segment
from engine.jobs.elsewhere import Away, Holder, open_away
from engine.jobs.messages import Question
from engine.jobs.segments import WHOLE
from engine.jobs.warm import Warm
from engine.sample.clip import render_sample

MOST = 4


class NearLine:
    """See ``engine.jobs.elsewhere.Line``: to a holder in this process, which answers late."""

    def __init__(self, holder: Holder, owner: str) -> None:
        self._holder, self._owner = holder, owner
        self._asked: deque[tuple[Question, bytes]] = deque()
        self.most = 0

    def ask(self, question: Question, content: bytes) -> None:
        self._asked.append((question, content))
        self.most = max(self.most, len(self._asked))

    def answer(self) -> bytes:
        return self._holder.answer(self._owner, *self._asked.popleft())

    def has_answer(self) -> bool:
        return False


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("clip") / "clip.mp4"
    render_sample(made, seconds=0.6, seed=4, size_px=(320, 240))
    return made


@pytest.fixture
def config() -> Config:
    quick = {"verify": {"embedder": "none"}, "super_resolve": {"generator": "bicubic"}}
    return load_config(None, {**quick, "crop": {"policy": "every"}, "track": {"min_detections": 1}})


def quiet(warned: Warned) -> None:
    """Nothing is to be warned of."""
    raise AssertionError(warned)


def lines(directory: Path) -> Iterator[dict[str, Any]]:
    for line in (directory / "faces.jsonl").read_bytes().splitlines():
        told = msgspec.json.decode(line)
        yield {key: told[key] for key in ("track_id", "frame_index", "box", "enhanced", "decision")}


def test_a_segment_is_the_same_wherever_its_crops_are_computed(clip: Path, config: Config, tmp_path: Path) -> None:
    holder, recording, tree = Holder(quiet), Recording("clip", clip), msgspec.to_builtins(config)
    with Warm(config, quiet) as here:
        process_segment(recording, WHOLE, tmp_path / "here", here)
    line = NearLine(holder, "one")
    facts = open_away(line, "clip", tree)
    with Warm(config, quiet, (lambda stream: Away(line), facts)) as warm:
        process_segment(recording, WHOLE, tmp_path / "away", warm)
    near, far = list(lines(tmp_path / "here")), list(lines(tmp_path / "away"))
    assert len(near) > MOST
    assert near == far
    assert line.most <= MOST + 1, "what is on its way is bounded"
    with pytest.raises(WorkerError):
        holder.answer("one", "enhance", pickle.dumps([]))


def test_another_holder_does_not_go_on_with_half_a_segment() -> None:
    with pytest.raises(WorkerError, match="was lost, with what it knew of a segment"):
        Holder(quiet).answer("one", "enhance", pickle.dumps([]))
