"""The choice over sessions and a clock of our own, and its memory; what real sessions take is not asked here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from engine.contracts.profile import Profile
from engine.errors import ConfigError, InferenceError, ModelError
from engine.sessions import fastest
from engine.sessions.fastest import VARIABLE, Candidate, open_fastest, plain_candidates
from engine.sessions.race import Choice, measure
from engine.sessions.session import SessionSpec, open_session
from tests.onnx_models import grey_model
from tests.sessions.processors import need

TENSORS = {"x": np.ones((1, 3), np.float32)}


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Timed:
    """Takes its time, and returns twice what it gets."""

    def __init__(self, clock: Clock, seconds: float, off: float = 0.0, fails: bool = False) -> None:
        self.clock, self.seconds, self.off, self.fails = clock, seconds, off, fails
        self.runs, self.inputs, self.profile = 0, (), Profile()

    def run(self, tensors: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        self.runs += 1
        self.clock.now += self.seconds
        if self.fails:
            raise InferenceError("it fails")
        return [2 * tensors["x"] + np.float32(self.off)]


def chosen(first: dict[str, float], second: dict[str, float]) -> tuple[Choice, Clock, list[Timed]]:
    clock = Clock()
    sessions = [Timed(clock, **first), Timed(clock, **second)]
    choice = measure(dict(zip(("onnxruntime", "openvino"), sessions, strict=True)), lambda inputs: TENSORS, 0.5, clock)  # type: ignore[arg-type]
    return choice, clock, sessions


@pytest.mark.parametrize(
    ("first", "second", "runtime"),
    [
        ({"seconds": 0.020}, {"seconds": 0.010}, "openvino"),
        ({"seconds": 0.010}, {"seconds": 0.020}, "onnxruntime"),
        ({"seconds": 0.020}, {"seconds": 0.0175}, "onnxruntime"),
        ({"seconds": 0.020}, {"seconds": 0.001, "off": 0.01}, "onnxruntime"),
        ({"seconds": 0.020}, {"seconds": 0.001, "off": float("nan")}, "onnxruntime"),
        ({"seconds": 0.020}, {"seconds": 0.001, "fails": True}, "onnxruntime"),
        ({"seconds": 9.0}, {"seconds": 3.0, "off": 1e-5}, "openvino"),
    ],
    ids=["faster", "slower", "by chance", "another result", "no numbers", "fails", "slow networks run once"],
)
def test_the_faster_one_of_those_that_compute_the_same_is_taken(first, second, runtime):
    choice, _, _ = chosen(first, second)
    assert choice.name == runtime


def test_it_takes_half_a_second_each():
    choice, clock, sessions = chosen({"seconds": 0.02}, {"seconds": 0.01})
    assert clock.now == pytest.approx(1.03, abs=0.04)
    assert sessions[0].runs == sessions[1].runs
    assert str(choice) == "auto: onnxruntime 20 ms, openvino 10 ms"


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The models that were measured, by what they are called; OpenVINO always wins."""
    need("openvino")
    seen: list[str] = []

    def one(candidates: list[Candidate], example: object) -> Choice:
        seen.append(candidates[0].spec.title)
        return Choice("openvino", {candidate.name: 1.0 for candidate in candidates})

    monkeypatch.delenv(VARIABLE)
    monkeypatch.setattr(fastest, "_measured", one)
    (tmp_path / "grey.onnx").write_bytes(grey_model())
    return seen


def opened(spec: SessionSpec, file: Path) -> str:
    with open_fastest(spec, lambda inputs: {}, file) as session:
        return session.runtime


def test_it_is_measured_once_for_each_model_and_said(measured: list[str], tmp_path: Path):
    file, spec = tmp_path / "deep" / "runtimes.json", SessionSpec(tmp_path / "grey.onnx", name="grey")
    for threads in (1, 1, 2):
        said = opened(replace(spec, threads=threads), file)
        assert said.startswith("openvino ")
        assert said.endswith(" float32 (auto: onnxruntime 1 ms, openvino 1 ms)")
    assert measured == ["grey"]
    (tmp_path / "other.onnx").write_bytes(grey_model(1))
    opened(SessionSpec(tmp_path / "other.onnx", name="other"), file)
    assert measured == ["grey", "other"]
    (key, _) = json.loads(file.read_text())
    assert "openvino 2" in key
    file.write_text("{spoilt")
    opened(spec, file)
    assert measured == ["grey", "other", "grey"]


def test_it_is_not_measured_where_there_is_no_choice(measured: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file, path = tmp_path / "runtimes.json", tmp_path / "grey.onnx"
    assert opened(SessionSpec(path, "onnxruntime"), file).startswith("onnxruntime")
    assert opened(SessionSpec(grey_model()), file).startswith("onnxruntime")
    with pytest.raises(ModelError, match="there is no model file"):
        opened(SessionSpec(tmp_path / "gone.onnx"), file)
    monkeypatch.setenv(VARIABLE, "openvino")
    assert opened(SessionSpec(path), file).endswith("float32")
    for unknown in ("nonsense", "ncnn"):
        monkeypatch.setenv(VARIABLE, unknown)
        with pytest.raises(
            ConfigError, match=f"FACESTREAM_RUNTIME is '{unknown}': unset it, or use one of onnxruntime, openvino"
        ):
            opened(SessionSpec(path), file)
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setattr(fastest, "find_spec", lambda name: name == "onnxruntime" or None)
    assert opened(SessionSpec(path), file).startswith("onnxruntime")
    assert (measured, file.exists()) == ([], False)


def test_where_nothing_can_be_remembered_nothing_is_measured(measured: list[str], tmp_path: Path):
    (tmp_path / "file").touch()
    assert opened(SessionSpec(tmp_path / "grey.onnx"), tmp_path / "file" / "runtimes.json").startswith("onnxruntime")
    assert measured == []


def test_what_was_measured_is_known_where_nothing_can_be_written(measured: list[str], tmp_path: Path):
    """As in an image of a container: the lock could not be made, and nothing that was measured counted."""
    file, spec = tmp_path / "runtimes.json", SessionSpec(tmp_path / "grey.onnx", name="grey")
    assert opened(spec, file).startswith("openvino")
    file.with_suffix(".lock").unlink()
    file.with_suffix(".lock").mkdir()  # nobody can open it, root neither
    assert opened(spec, file).startswith("openvino")
    assert measured == ["grey"]


def test_a_process_that_hangs_while_it_measures_holds_up_no_other(
    measured: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "runtimes.json"
    monkeypatch.setattr(fastest, "_PATIENCE_SECONDS", 0.0)
    with fastest._locked(file):
        assert opened(SessionSpec(tmp_path / "grey.onnx"), file).startswith("onnxruntime")
    assert measured == []
    assert opened(SessionSpec(tmp_path / "grey.onnx"), file).startswith("openvino")


def test_real_sessions_are_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    need("openvino")
    monkeypatch.setattr(fastest, "_SECONDS", 0.0)
    path = tmp_path / "grey.onnx"
    path.write_bytes(grey_model())
    candidates = plain_candidates(SessionSpec(path))
    choice = fastest._measured(candidates, lambda inputs: {inputs[0].name: np.zeros((1, 1, 64, 64), np.uint8)})
    assert choice is not None
    assert list(choice.milliseconds) == ["onnxruntime", "openvino"]
    path.write_bytes(b"no model")
    assert fastest._measured(candidates, lambda inputs: {}) is None


class Refusing:
    """Opens everything but OpenVINO, of which it says what it was told to say."""

    def __init__(self, reason: str) -> None:
        self.reason, self.asked = reason, 0

    def __call__(self, spec: SessionSpec) -> object:
        if spec.runtime == "openvino":
            self.asked += 1
            if self.reason:
                raise ModelError(self.reason)
        return open_session(replace(spec, runtime="onnxruntime"))


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Refusing:
    made = Refusing("grey cannot be loaded: no such instruction")
    monkeypatch.setattr(fastest, "open_session", made)
    monkeypatch.setattr(fastest, "_SECONDS", 0.0)
    return made


CHANGES = {
    "another version": lambda patch, here: patch.setattr(fastest, "version_here", lambda package: "9.9"),
    "another version of ours": lambda patch, here: patch.setattr(fastest, "__version__", "9.9"),
    "another machine": lambda patch, here: patch.setattr(fastest, "machine_here", lambda: "Other CPU, 4 GiB, 7.0"),
    "another model": lambda patch, here: (here / "grey.onnx").write_bytes(grey_model(1)),
    "another engine": lambda patch, here: None,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_was_refused_is_asked_again_when_what_it_depends_on_changes(
    refusing: Refusing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change
):
    """It used to be remembered for ever."""
    (tmp_path / "grey.onnx").write_bytes(grey_model())

    def choice(engine: str) -> Choice:
        spec = SessionSpec(tmp_path / "grey.onnx")
        ways = [fastest.plain_candidate(spec, "onnxruntime"), Candidate("openvino", replace(spec, runtime="openvino"), engine)]
        found = fastest._choice(
            ways, lambda inputs: {inputs[0].name: np.zeros((1, 1, 64, 64), np.uint8)}, tmp_path / "seen.json"
        )
        assert found is not None
        return found

    assert [choice("a").refused for _ in range(2)] == 2 * [{"openvino": refusing.reason}]
    assert refusing.asked == 1
    refusing.reason = ""
    change(monkeypatch, tmp_path)
    assert choice("b" if change is CHANGES["another engine"] else "a").refused == {}
    assert refusing.asked == 2


def test_memory_that_was_short_is_asked_for_at_the_next_start(
    refusing: Refusing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """As long as it is short, what was measured of the others is known: each worker used to measure all at each start."""
    measured: list[list[str]] = []

    def counted(sessions: dict[str, object], *args: object, **options: object) -> Choice:
        measured.append(list(sessions))
        return measure(sessions, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(fastest, "measure", counted)
    (tmp_path / "grey.onnx").write_bytes(grey_model())
    ways = [fastest.plain_candidate(SessionSpec(tmp_path / "grey.onnx"), name) for name in ("onnxruntime", "openvino")]

    def refused() -> dict[str, str]:
        found = fastest._choice(
            ways, lambda inputs: {inputs[0].name: np.zeros((1, 1, 64, 64), np.uint8)}, tmp_path / "seen.json"
        )
        return {} if found is None else found.refused

    refusing.reason = "grey cannot be loaded by OpenVINO: std::bad_alloc"
    assert [refused() for _ in range(3)] == 3 * [{"openvino": refusing.reason}]
    assert (measured, refusing.asked) == ([["onnxruntime"]], 3)
    refusing.reason = ""
    assert [refused() for _ in range(2)] == [{}, {}]
    assert measured == [["onnxruntime"], ["onnxruntime", "openvino"]]
    assert refusing.asked == 5, "whether there is room, and to measure"
