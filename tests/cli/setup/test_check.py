"""``facestream check``."""

from __future__ import annotations

import json

import pytest

from engine.shipped import shipped
from tests.cli.command import apart, complains, here


def test_a_right_file_is_ok_with_its_effective_values(capsys, tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("profile: fast\nsources:\n  - uri: door.mp4\n    name: door\npublish:\n  socket: push\n")
    shown = here(capsys, "check", path)
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.startswith("ok")
    for word in ("fast", "door.mp4 as door", "every=3", "socket=push", "realtime=false"):
        assert word in shown.out


def test_a_profile_can_be_tried(capsys, tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("")
    assert "upsample=2" in here(capsys, "check", path, "--profile", "thorough").out
    complains(
        here(capsys, "check", path, "--profile", "slow"), 2, "command line: profile: unknown profile 'slow'; allowed: fast"
    )


def test_an_unknown_key_names_file_line_and_key(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("detect:\n  evry: 2\n")
    complains(apart("check", path), 2, f"{path}, line 2: detect.evry: unknown key; did you mean every?")


def test_a_missing_file_and_an_unknown_profile_are_one_sentence(capsys, tmp_path):
    complains(here(capsys, "check", tmp_path / "none.yaml"), 2, "cannot read the configuration", "No such file")
    path = tmp_path / "a.yaml"
    path.write_text("profile: slow\n")
    complains(
        here(capsys, "check", path), 2, f"{path}, line 1: profile: unknown profile 'slow'; allowed: fast, balanced, thorough"
    )


CAMERA = "sources:\n  - uri: rtsp://admin:sesame@192.0.2.1/x\n    transport: udp\n    options: {password: sesame}\n"


def test_for_a_program_it_is_one_object_without_credentials(capsys, tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("profile: fast\n" + CAMERA)
    shown = here(capsys, "check", path, "--json")
    told = json.loads(shown.out)
    assert told["config"]["detect"]["every"] == 3
    assert told["config"]["sources"][0]["transport"] == "udp"
    assert "sesame" not in shown.out
    assert told["warnings"] == []


def test_cameras_are_shown_without_credentials(capsys, tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(CAMERA)
    shown = here(capsys, "check", path)
    assert shown.code == 0
    assert "rtsp://192.0.2.1/x as 192.0.2.1_x" in shown.out
    assert "transport=udp" in shown.out
    assert "sesame" not in shown.out + shown.err


def test_what_is_wrong_with_a_camera_is_one_sentence(capsys, tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("sources:\n  - {uri: 'rtsp://192.0.2.1/x', credentials: none.txt}\n")
    complains(here(capsys, "check", path), 2, "none.txt")
    path.write_text(CAMERA.replace("udp", "udp\n    name: a") + "  - {uri: 'rtsp://192.0.2.2/x', name: a}\n")
    complains(here(capsys, "check", path), 2, "two streams have the name 'a'")


@pytest.mark.parametrize(
    ("lines", "line", "says"),
    [
        ("uri: rtsp://192.0.2.1/x\n    credentials: none.txt", 3, "sources[1]: the credentials file none.txt cannot be read"),
        ("uri: rstp://192.0.2.1/x", 3, "sources[1]: rstp://192.0.2.1/x has a scheme that is not known"),
        ("uri: rtsp://192.0.2.1:99999/x", 3, "sources[1]: rtsp://"),
        ("uri: rtsp://192.0.2.1/x\n    name: back yard", 4, "sources[1].name: the stream name 'back yard' is not usable"),
        ("uri: rtsp://192.0.2.1/x\n    name: gate", 4, "sources[1].name: two streams have the name 'gate'"),
        ("uri: rtsp://192.0.2.1/x\n    fps: 5", 3, "sources[1]: rtsp://192.0.2.1/x is a camera, `fps` is for recordings"),
        ("uri: 192.0.2.1/x\n    detect_fps: 5", 3, "sources[1]: the source 192.0.2.1/x is a recording, `detect_fps`"),
    ],
)
@pytest.mark.parametrize("command", ["check", "run"])
def test_what_is_wrong_with_a_source_has_its_line(capsys, tmp_path, command, lines, line, says):
    path = tmp_path / "a.yaml"
    path.write_text(f"sources:\n  - {{uri: 'rtsp://192.0.2.9/x', name: gate}}\n  - {lines}\n")
    outcome = here(capsys, command, path, *(["--out", tmp_path / "out"] if command == "run" else []))
    complains(outcome, 2, f"{path}, line {line}: ", says)


def test_recordings_count_in_the_place_of_a_source_and_their_keys_are_checked(capsys, tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("sources:\n  - {uri: elsewhere.mp4, fps: 5}\n  - uri: rstp://192.0.2.1/x\n")
    complains(here(capsys, "check", path), 2, f"{path}, line 3: sources[1]: rstp:")
    path.write_text("sources:\n  - uri: elsewhere.mp4\n    clock_from: dial\n")
    complains(here(capsys, "check", path), 2, f"{path}, line 2: sources[0]: clock_from: 'dial' is not known")


def test_of_a_source_on_the_command_line_the_file_is_not_blamed(capsys, tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("sources:\n  - uri: door.mp4\n")
    outcome = here(capsys, "run", path, "--source", "rstp://192.0.2.1/x", "--out", tmp_path / "out")
    complains(outcome, 2, "facestream: rstp://192.0.2.1/x has a scheme that is not known")


def test_a_credentials_file_that_all_may_read_is_a_warning(capsys, tmp_path):
    secrets = tmp_path / "door.txt"
    secrets.write_text("admin:sesame\n")
    secrets.chmod(0o644)
    path = tmp_path / "a.yaml"
    path.write_text(f"sources:\n  - {{uri: 'rtsp://192.0.2.1/x', credentials: {secrets}}}\n")
    shown = here(capsys, "check", path)
    assert (shown.code, shown.out.count("warning:")) == (0, 1)
    assert "sesame" not in shown.out


@pytest.mark.parametrize("uri", ["rtsp://192.0.2.1/x", "door.mp4"])
def test_every_setting_that_a_source_has_of_its_own_is_shown(capsys, tmp_path, uri):
    own = {"rotate": 180, "deinterlace": "on", "aspect": "4:3"}
    own |= {"fps": 12.5, "clock_from": "none"} if uri.endswith("mp4") else {"detect_fps": 2.0, "options": {"a": "b"}}
    path = tmp_path / "a.yaml"
    path.write_text(json.dumps({"sources": [{"uri": uri, "name": "door", **own}]}))
    shown = here(capsys, "check", path)
    assert shown.code == 0, shown
    said = " ".join(shown.out.split())
    assert all(f" {key}={value}" in said for key, value in own.items()), shown.out


def test_what_is_left_open_is_shown_as_a_file_may_say_it(capsys, tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("live: {max_reconnects: null}\n")
    assert "max_reconnects=null" in here(capsys, "check", path).out


def test_the_example_with_cameras_is_right(capsys):
    shown = here(capsys, "check", "configs/pipelines/cameras.yaml")
    assert (shown.code, shown.err) == (0, "")
    for name in ("entrance", "car-park", "vault", "yard", "loading-bay", "desk"):
        assert f" as {name}" in shown.out


@pytest.mark.parametrize(
    ("verify", "refused"),
    [
        ("{false_name_rate: 0.00001}", True),
        ("{false_name_rate: 0.00001, embedder: dlib}", True),
        ("{false_name_rate: 0.00001, known_cosine: 0.95}", False),
        ("{false_name_rate: 0.00001, embedder: none}", False),
        ("{false_name_rate: 0.00001, embedder: 'insightface:buffalo_l'}", False),
        ("{false_name_rate: 0.001}", False),
    ],
)
def test_a_false_name_rate_that_nothing_supports_is_refused_here_and_not_only_at_the_start(tmp_path, capsys, verify, refused):
    path = tmp_path / "x.yaml"
    path.write_text(f"verify: {verify}\n")
    shown = here(capsys, "check", path)
    if refused:
        complains(shown, 2, "verify.false_name_rate (1e-05) is below what the", "or set verify.known_cosine yourself")
    else:
        assert shown.out.startswith("ok")


def test_both_streams_of_a_camera_are_shown_without_their_passwords(tmp_path, capsys):
    path = tmp_path / "two.yaml"
    path.write_text("sources:\n  - uri: rtsp://me:secret@192.0.2.1/2\n    crop_uri: rtsp://you:hidden@192.0.2.1/1\n")
    outcome = here(capsys, "check", path)
    assert outcome.code == 0
    shown = "".join(outcome.out.split())
    assert "rtsp://192.0.2.1/2" in shown
    assert "crop_uri=rtsp://192.0.2.1/1" in shown
    assert "secret" not in outcome.out
    assert "hidden" not in outcome.out


@pytest.mark.parametrize("name", ["cameras", "quick", "recogniser", "recordings", "serve"])
def test_an_example_to_begin_with_is_printed(capsys, name):
    shown = here(capsys, "check", "--example", name)
    assert (shown.code, shown.err) == (0, "")
    assert shown.out == (shipped("pipelines") / f"{name}.yaml").read_text(encoding="utf-8")


def test_an_example_that_is_not_there_and_no_file_at_all(capsys):
    complains(here(capsys, "check", "--example", "camera"), 2, "no example 'camera'", "cameras, quick, recogniser")
    complains(here(capsys, "check"), 2, "--example NAME")


@pytest.mark.parametrize(
    "section",
    [
        "detect: {detector: /no/such.onnx}",
        "super_resolve: {generator: compact_fine_x44}",
        "verify: {embedder: /no/such.onnx}",
    ],
)
def test_a_model_that_is_not_there_is_told_as_a_run_would(capsys, tmp_path, section):
    path = tmp_path / "a.yaml"
    path.write_text(f"sources:\n  - uri: rtsp://192.0.2.1/x\n{section}\n")
    shown = here(capsys, "check", path)
    assert shown.code
    assert not shown.out
    ran = here(capsys, "run", path, "--publish", f"ipc://{tmp_path}/socket")
    assert (ran.code, ran.err) == (shown.code, shown.err)
