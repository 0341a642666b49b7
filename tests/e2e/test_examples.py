"""The subscribers in other languages, built and run against the publisher itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import zmq

from engine.config import PublishConfig
from engine.contracts.messages import Face
from engine.keys.files import write_key
from engine.publish.publisher import Publisher
from tests.client.wire import Wire
from tests.patience import PATIENCE_SECONDS
from tests.publish.locked import locked
from tests.publish.samples import end, face

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
NODE_MODULES = Path(os.environ.get("FACESTREAM_NODE_MODULES", EXAMPLES / "node_modules"))


def missing(reason: str) -> None:
    """Skip, or fail where continuous integration has installed what is needed."""
    if os.environ.get("FAIL_WITHOUT_EXAMPLES"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def cpp(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    if shutil.which("g++") is None or not all(
        any((root / header).exists() for root in (Path("/usr/include"), Path("/usr/local/include")))
        for header in ("zmq.h", "nlohmann/json.hpp")
    ):
        missing("needs g++, libzmq3-dev and nlohmann-json3-dev")
    program = tmp_path_factory.mktemp("cpp") / "subscriber"
    # Not optimised: that would only take longer here.
    command = [
        "g++",
        "-std=c++17",
        "-Wall",
        "-Wextra",
        "-Werror",
        str(EXAMPLES / "subscriber.cpp"),
        "-lzmq",
        "-o",
        str(program),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    return [str(program)]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    if shutil.which("node") is None or not (NODE_MODULES / "zeromq").is_dir():
        missing("needs node, and zeromq and @msgpack/msgpack of npm in FACESTREAM_NODE_MODULES")
    folder = tmp_path_factory.mktemp("node")
    shutil.copy(EXAMPLES / "subscriber.mjs", folder)
    (folder / "node_modules").symlink_to(NODE_MODULES, target_is_directory=True)
    return ["node", str(folder / "subscriber.mjs")]


@pytest.mark.e2e
@pytest.mark.parametrize("language", ["cpp", "node"])
def test_faces_gaps_and_the_end_are_printed(request: pytest.FixtureRequest, language: str):
    program = request.getfixturevalue(language)
    context = zmq.Context()
    publisher = Publisher(PublishConfig(endpoint="tcp://127.0.0.1:*", socket="push", embeddings=True), "run1", context)
    expected = []
    with subprocess.Popen([*program, publisher.bound_endpoint, "pull"], stdout=subprocess.PIPE, text=True) as process:
        try:
            for number in range(3):
                body, payloads = face("cam1", track_id=7 + number)
                message = publisher.send(body, payloads)
                assert isinstance(message, Face)
                parts = "".join(f" {part.name}:{len(data)}" for part, data in zip(message.parts, payloads, strict=True))
                expected.append(f"cam1 {7 + number} {message.decision} {message.candidates[0].identity}{parts}")
            publisher.send(end(), [])
            out, _ = process.communicate(timeout=PATIENCE_SECONDS)
        finally:
            process.kill()
            publisher.close(1_000)
            context.term()
    assert out.splitlines() == [*expected, "end completed"]
    assert process.returncode == 0


@pytest.mark.e2e
@pytest.mark.parametrize("language", ["cpp", "node"])
def test_a_key_opens_what_is_encrypted(request: pytest.FixtureRequest, language: str, tmp_path: Path):
    program = request.getfixturevalue(language)
    key = tmp_path / "kiosk.key"
    with locked(tmp_path) as at:
        write_key(key, at.rightful)
        with subprocess.Popen(
            [*program, at.publisher.bound_endpoint, "sub", key], stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                at.until(lambda: at.publisher.subscriptions == 2)
                at.publisher.send(*face("cam1", track_id=7))
                at.publisher.send(end(), [])
                at.until(lambda: process.poll() is not None)
                out, _ = process.communicate(timeout=PATIENCE_SECONDS)
            finally:
                process.kill()
    assert [line.split(" ")[0] for line in out.splitlines()] == ["cam1", "end"]


@pytest.mark.e2e
@pytest.mark.parametrize("language", ["cpp", "node"])
def test_what_is_lost_is_counted_for_each_run(request: pytest.FixtureRequest, language: str):
    program, context = request.getfixturevalue(language), zmq.Context()
    wire = Wire(context)
    with subprocess.Popen([*program, wire.endpoint, "pull"], stdout=subprocess.PIPE, text=True) as process:
        try:
            for seq in (0, 1, 3):
                wire.face(seq, run_id="run1")
                wire.face(10 + 2 * seq, run_id="run2")
            wire.end()
            out, _ = process.communicate(timeout=PATIENCE_SECONDS)
        finally:
            process.kill()
            wire.close()
            context.term()
    lost = [line for line in out.splitlines() if line.startswith("lost")]
    assert lost == ["lost cam1 11 to 11", "lost cam1 2 to 2", "lost cam1 13 to 15"]


@pytest.mark.e2e
@pytest.mark.parametrize("language", ["cpp", "node"])
def test_a_publisher_that_is_gone_is_not_waited_for_any_more(request: pytest.FixtureRequest, language: str):
    program, context = request.getfixturevalue(language), zmq.Context()
    wire = Wire(context)
    with subprocess.Popen(
        [*program, wire.endpoint, "pull"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"GONE_SECONDS": "1"},
    ) as process:
        try:
            wire.face(0)
            assert process.stdout is not None
            assert process.stdout.readline().startswith("cam1 ")
            wire.close()
            context.term()
            _, said = process.communicate(timeout=PATIENCE_SECONDS)
        finally:
            process.kill()
    assert said.strip() == f"the publisher at {wire.endpoint} has been gone for 1 s and has not said that its run is over"
    assert process.returncode == 3
