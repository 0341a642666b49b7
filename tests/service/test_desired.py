"""The desired state is the last one that was acknowledged, whatever happens while it is written."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.config import SourceConfig
from engine.errors import ConfigError
from engine.service.desired import Answer, Desired, DesiredFile, Held

NAMES = st.sampled_from(["door", "hall", "yard", "gate"])
STATES = st.builds(
    Desired,
    streams=st.dictionaries(
        NAMES,
        st.builds(
            Held,
            source=st.builds(
                SourceConfig,
                uri=st.sampled_from(["rtsp://192.0.2.10/a", "http://192.0.2.11/b"]),
                name=NAMES,
                detect_fps=st.none() | st.floats(0.5, 30),
                options=st.dictionaries(st.sampled_from(["user_agent"]), st.text(max_size=5)),
            ),
            paused=st.booleans(),
        ),
    ),
    paused=st.lists(NAMES, unique=True).map(tuple),
    settings=st.dictionaries(st.sampled_from(["crop.top_k", "profile"]), st.integers(1, 9)),
)


class Killed(Exception):
    """Stands for a kill."""


@settings(max_examples=25, deadline=None)
@given(states=st.lists(STATES, min_size=1, max_size=6), dies_at=st.integers(0, 40))
def test_a_kill_at_any_step_leaves_the_last_acknowledged_state_or_the_next(
    tmp_path_factory: pytest.TempPathFactory, states: list[Desired], dies_at: int
) -> None:
    path = tmp_path_factory.mktemp("state") / "desired.json"
    file, steps = DesiredFile(path), 0

    def step(name: str) -> None:
        nonlocal steps
        steps += 1
        if steps > dies_at:
            raise Killed

    acknowledged, asked = Desired(), Desired()
    try:
        for asked in states:
            file.save(asked, step)
            acknowledged = asked
    except Killed:
        pass
    found = DesiredFile(path).load()
    assert found in (acknowledged, asked)
    assert [one.name for one in path.parent.iterdir() if "unfinished" in one.name] == []


def test_what_a_kill_leaves_half_written_is_removed(tmp_path: Path) -> None:
    file = DesiredFile(tmp_path / "desired.json")
    file.save(Desired(paused=("door",)))
    (tmp_path / ".unfinished-1-2.desired.json").write_bytes(b"{")
    assert DesiredFile(tmp_path / "desired.json").load() == Desired(paused=("door",))
    assert not (tmp_path / ".unfinished-1-2.desired.json").exists()


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    file = DesiredFile(tmp_path / "desired.json")
    for name in ("door", "hall"):
        file.save(Desired(paused=(name,)))
    for path in (file.path, file.previous):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert DesiredFile(file.previous).load() == Desired(paused=("door",))


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\0" * 100, b'{"format": 2}', b'{"streams": 1}', b'{"unknown": 1}', b"\xff\xfe", b'{"paused": ["a"}'],
)
def test_a_damaged_file_is_never_taken_for_an_empty_one(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "desired.json"
    file = DesiredFile(path)
    file.save(Desired(paused=("door",)))
    file.save(Desired(paused=("hall",)))
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"desired\.json is damaged.*desired\.previous\.json.*cp "):
        DesiredFile(path).load()


def test_a_file_that_is_gone_is_told_where_there_was_one(tmp_path: Path) -> None:
    path = tmp_path / "desired.json"
    file = DesiredFile(path)
    file.save(Desired(paused=("door",)))
    file.save(Desired(paused=("hall",)))
    path.unlink()
    with pytest.raises(ConfigError, match=r"cannot be read.*previous"):
        DesiredFile(path).load()


def test_where_it_never_was_it_is_empty(tmp_path: Path) -> None:
    assert DesiredFile(tmp_path / "desired.json").load() == Desired()


def test_what_was_said_of_streams_of_the_file_ends_with_them() -> None:
    answers = (Answer(key="a", asked="b", reply=b"c", time_ns=1),)
    before = Desired(paused=("door", "hall"), removed=("yard", "gate"), answers=answers)
    assert before.following({"door", "gate"}) == replace(before, paused=("door",), removed=("gate",))
