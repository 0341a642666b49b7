"""A generator with a folder of engines, and a race whose winner is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.sessions import fastest
from engine.sessions.fastest import VARIABLE
from engine.sessions.race import Choice
from tests.super_resolve.engine_bench import Bench
from tests.trt_build.engines.networks import write_generator


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.delenv(VARIABLE)
    made = Bench(write_generator(tmp_path), tmp_path / "engines", tmp_path / "runtimes.json")
    monkeypatch.setattr(fastest, "user_cache_path", lambda name: tmp_path / "cache")
    monkeypatch.setattr(fastest, "PLAIN", ("onnxruntime",))
    monkeypatch.setattr(fastest, "_SECONDS", 0.0)
    return made


@pytest.fixture
def last_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last candidate is five times as fast as the others."""

    def found(candidates: list[fastest.Candidate], example: object) -> Choice:
        spent = dict.fromkeys((one.name for one in candidates), 10.0)
        return Choice(candidates[-1].name, spent | {candidates[-1].name: 2.0})

    monkeypatch.setattr(fastest, "_measured", found)
