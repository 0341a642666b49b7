"""``facestream run``: what its options mean, what it says, and how it ends."""

from __future__ import annotations

import json

import pytest

from engine.config import Config
from engine.contracts.counts import Counts
from engine.contracts.orders import Warned
from engine.errors import WorkerError
from engine.runtime.protocol import Beat
from tests.cli.command import Outcome, apart, complains, here
from tests.cli.statuses import SECRET, fail, stall


def lines_of(outcome: Outcome) -> list[dict]:
    return [json.loads(line) for line in outcome.err.splitlines()]


CAMERA = ("--source", "rtsp://192.0.2.1/x")


def test_settings_go_to_the_sources_that_they_mean_something_for(capsys, runs, tmp_path):
    sources = ["clip.mp4", "/dev/video9", "rtsp://192.0.2.1/x", "http://192.0.2.1/y", "udp://239.0.0.1:5000"]
    arguments = [word for source in sources for word in ("-s", source)]
    here(capsys, "run", *arguments, "--transport", "udp", "--credentials", tmp_path / "door.txt", "-o", "out")
    read = {source.uri: (source.transport, bool(source.credentials)) for source in runs.config.sources}
    assert read == {
        "clip.mp4": ("tcp", False),
        "/dev/video9": ("tcp", False),
        "rtsp://192.0.2.1/x": ("udp", True),
        "http://192.0.2.1/y": ("tcp", True),
        "udp://239.0.0.1:5000": ("tcp", False),
    }


@pytest.mark.parametrize(
    ("given", "uri", "name"),
    [
        ("door=rtsp://192.0.2.1/x", "rtsp://192.0.2.1/x", "door"),
        ("yard-2=udp://239.0.0.1:5000", "udp://239.0.0.1:5000", "yard-2"),
        ("desk=/dev/video9", "/dev/video9", "desk"),
        ("a=b.mp4", "a=b.mp4", ""),
        ("rtsp://192.0.2.1/channel=1", "rtsp://192.0.2.1/channel=1", ""),
        ("http://192.0.2.1/x?next=http://192.0.2.2/y", "http://192.0.2.1/x?next=http://192.0.2.2/y", ""),
    ],
)
def test_a_camera_may_be_named_where_it_is_given(capsys, runs, given, uri, name):
    """There was no way to, and one could not be told from the next in a list."""
    here(capsys, "run", "-s", given, "-o", "out")
    assert [(source.uri, source.name) for source in runs.config.sources] == [(uri, name)]


def test_main_streams_go_to_the_cameras_with_an_address_in_their_order(capsys, runs):
    sources = ["rtsp://192.0.2.1/sub", "clip.mp4", "/dev/video9", "http://192.0.2.2/sub"]
    arguments = [word for source in sources for word in ("-s", source)]
    mains = ["--crop-uri", "rtsp://192.0.2.1/main", "--crop-uri", "http://192.0.2.2/main"]
    here(capsys, "run", *arguments, *mains, "-o", "out")
    assert [source.crop_uri for source in runs.config.sources] == ["rtsp://192.0.2.1/main", "", "", "http://192.0.2.2/main"]
    for wrong in (mains[:2], [*mains, *mains[:2]]):
        refused = here(capsys, "run", *arguments, *wrong, "-o", "out")
        assert refused.code == 2
        assert "for 2 cameras with an address" in refused.err


def test_pictures_are_turned_for_all_sources_and_clocks_are_set_for_recordings(capsys, runs):
    here(
        capsys, "run", "-s", "a.mp4", *CAMERA, "--rotate", "180", "--deinterlace", "on", "--aspect", "4:3",
        "--video-stream", "1", "--clock-from", "name:%Y%m%d",
    )  # fmt: skip
    recording, camera = runs.config.sources
    assert (recording.rotate, recording.deinterlace, recording.aspect) == (180, "on", "4:3")
    assert (camera.rotate, camera.deinterlace, camera.aspect) == (180, "on", "4:3")
    assert (recording.video_stream, recording.clock_from) == (1, "name:%Y%m%d")
    assert (camera.video_stream, camera.clock_from) == (None, "")
    here(capsys, "run", "-s", "a.mp4", "--rotate", "flip", "--start-time", "2026-03-01")
    assert (runs.config.sources[0].rotate, runs.config.sources[0].start_time) == ("flip", "2026-03-01")


def test_settings_for_all_cameras_go_to_the_live_section(capsys, runs, tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("sources:\n  - uri: rtsp://192.0.2.1/x\n    stall_seconds: 30\nlive:\n  budget_ms: 200\n")
    options = ["--hwaccel", "none", "--max-reconnects", "3", "--stall", "4.5", "--duration", "60", "--resume"]
    here(capsys, "run", path, *options)
    live = runs.config.live
    assert (live.hwaccel, live.max_reconnects, live.stall_seconds, live.budget_ms) == ("none", 3, 4.5, 200)
    assert (runs.config.sources[0].stall_seconds, runs.duration_seconds) == (30, 60)
    assert runs.config.output.resume


def test_without_options_all_is_as_configured(capsys, runs):
    here(capsys, "run", *CAMERA)
    assert runs.config.live == Config().live
    assert (runs.config.output.resume, runs.duration_seconds) == (False, None)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["-s", "clip.mp4", "--transport", "udp"], "--transport needs an rtsp:// address as --source"),
        (["--credentials", "door.txt"], "write `credentials: door.txt` under the source"),
        ([*CAMERA, "--start-time", "2026-03-01"], "--start-time needs a recording as --source"),
        (["--rotate", "90"], "write `rotate: 90` under the source"),
        ([*CAMERA, "--rotate", "45"], "--rotate"),
        (["-s", "clip.mp4", "--fps", "10"], "--fps needs pictures as --source"),
        (["--fps", "10"], "write `fps: 10.0` under the source"),
        ([*CAMERA, "--duration", "0"], "--duration 0 must be more than 0 seconds"),
        ([*CAMERA, "--max-reconnects", "-1"], "max_reconnects"),
        ([*CAMERA, "--transport", "pigeon"], "--transport"),
        ([*CAMERA, "--log-format", "xml"], "--log-format"),
    ],
)
def test_wrong_options_are_one_sentence_and_2(capsys, runs, arguments, says):
    complains(here(capsys, "run", *arguments), 2, says)


def test_a_drained_run_is_0_and_one_with_a_camera_given_up_is_1(capsys, runs):
    assert here(capsys, "run", *CAMERA).code == 0
    fail(runs.status, "door")
    shown = here(capsys, "run", *CAMERA)
    assert shown.code == 1
    assert "facestream: door failed (auth): rtsp://192.0.2.1/x refuses the password" in shown.err
    assert SECRET not in shown.err


def test_elsewhere_than_in_a_terminal_cameras_have_a_log_and_a_summary(capsys, runs):
    shown = here(capsys, "run", *CAMERA)
    assert "info    door: live 640x480" in shown.err
    assert "3 drops: 3 no slot" in shown.err
    assert shown.out == ""


def test_quiet_leaves_what_is_wrong(capsys, runs):
    assert here(capsys, "run", *CAMERA, "-q").err == ""
    stall(runs.status, "door")
    (line,) = here(capsys, "run", *CAMERA, "-q").err.splitlines()
    assert "warning door: stalled (timeout)" in line


def test_recordings_keep_their_bars_unless_a_log_is_asked_for(capsys, runs, monkeypatch):
    assert "info    door: live 640x480" in here(capsys, "run", "-s", "clip.mp4").err  # to a file it said nothing at all
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "250/250 frames" in here(capsys, "run", "-s", "clip.mp4").err
    assert "info    door: live 640x480" in here(capsys, "run", "-s", "clip.mp4", "--log-format", "text").err


def test_as_json_there_is_nothing_else(capsys, runs):
    fail(runs.status, "door")
    shown = here(capsys, "run", *CAMERA, "--log-format", "json")
    assert [line["event"] for line in lines_of(shown)] == ["run_started", "stream", "stream", "run_ended"]
    assert (shown.code, shown.out) == (1, "")


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (WorkerError("the worker publish died"), 1, "the worker publish died"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (ValueError(f"rtsp://admin:{SECRET}@192.0.2.1/x"), 1, "unexpected ValueError: rtsp://192.0.2.1/x"),
    ],
)
def test_as_json_errors_are_lines_too(capsys, monkeypatch, runs, error, code, says):
    monkeypatch.delenv("FACESTREAM_TRACEBACK", raising=False)
    runs.error = error
    shown = here(capsys, "run", *CAMERA, "--log-format", "json")
    last = lines_of(shown)[-1]
    assert (shown.code, last["event"], last["level"], last["exit_code"]) == (code, "run_failed", "error", code)
    assert says in last["message"]
    assert SECRET not in shown.err


def test_as_json_a_wrong_configuration_is_a_line_too(tmp_path):
    shown = apart("run", "-s", "rtsp://", "-o", tmp_path / "out", "--log-format", "json")
    (line,) = lines_of(shown)
    assert (shown.code, line["event"], line["exit_code"]) == (2, "run_failed", 2)
    assert "names no host" in line["message"]


def test_unexpected_errors_are_redacted_in_words_too(capsys, monkeypatch, runs):
    monkeypatch.delenv("FACESTREAM_TRACEBACK", raising=False)
    runs.error = ValueError(f"cannot open 'rtsp://admin:{SECRET}@192.0.2.1/x'")
    shown = here(capsys, "run", *CAMERA, "-q")
    complains(shown, 1, "cannot open 'rtsp://192.0.2.1/x'")
    assert SECRET not in shown.err


def test_a_mistyped_option_does_not_quote_a_password(capsys):
    shown = here(capsys, "run", "--sorce", f"rtsp://admin:{SECRET}@192.0.2.1/x")
    assert shown.code == 2
    assert SECRET not in shown.err


def test_what_is_unwise_is_a_note_in_words_and_in_json(capsys, runs, monkeypatch):
    runs.note = "the credentials file door.txt may be read by others"
    assert "warning the credentials file" in here(capsys, "run", "-s", "clip.mp4", "-o", "out", "--quiet").err
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "facestream: note: the credentials file" in here(capsys, "run", "-s", "clip.mp4", "-o", "out").err
    monkeypatch.delenv("FORCE_COLOR")
    lines = here(capsys, "run", "-s", "clip.mp4", "-o", "out", "--log-format", "json").err.splitlines()
    events = [json.loads(line) for line in lines]
    assert [event["message"] for event in events if event["event"] == "note"] == [runs.note]


def test_the_rate_goes_to_the_pictures_among_the_sources(capsys, runs, tmp_path):
    for name in ("a.mp4", "seq/1.jpg", "seq/2.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    here(capsys, "run", "-s", tmp_path / "a.mp4", "-s", tmp_path / "seq", "-s", f"{tmp_path}/seq/*.jpg", "--fps", "12.5")
    assert [source.fps for source in runs.config.sources] == [None, 12.5, 12.5]


def test_recordings_that_failed_are_a_table_and_errors_a_line(capsys, runs):
    """With name, reason and sentence; what went wrong and ended nothing is a note."""
    fail(runs.status, "door")
    runs.status.events.take_warning(Warned("door", f"detect failed: no memory for rtsp://admin:{SECRET}@x/"))
    runs.status.take_beat(Beat("enhance-9", {}, Counts({}, {"door": {"errored": 2}}, errors={"detect": 2, "gallery": 1})))
    shown = here(capsys, "run", "-s", "clip.mp4")
    assert shown.code == 1
    assert "1 failed" in shown.err
    assert "refuses the password" in shown.err
    assert "3 errors: 2 detect, 1 gallery" in shown.err
    assert "warning door: detect failed: no memory for" in shown.err
    assert SECRET not in shown.err


def test_a_program_is_told_the_sentence_of_each_stream_and_the_errors(capsys, runs):
    fail(runs.status, "door")
    runs.status.events.take_warning(Warned("", "the gallery g.sqlite is gone"))
    runs.status.take_beat(Beat("enhance-9", {}, Counts({}, {"door": {"errored": 2}}, errors={"gallery": 1})))
    lines = lines_of(here(capsys, "run", *CAMERA, "--log-format", "json"))
    assert [(line["level"], line["message"]) for line in lines if line["event"] == "warning"] == [
        ("warning", "the gallery g.sqlite is gone")
    ]
    ended = lines[-1]
    assert ended["errors"] == {"gallery": 1}
    assert ended["failed_streams"] == ["door"]
    assert ended["streams"]["door"]["detail"].endswith("refuses the password")
    assert ended["streams"]["door"]["errored"] == 2


@pytest.mark.parametrize(("whose", "is_told"), [("this-one", True), ("another", False)])
def test_after_a_failure_only_what_this_run_wrote_is_told(capsys, runs, tmp_path, whose, is_told):
    (tmp_path / "run.json").write_text(json.dumps({"run_id": whose, "started_ns": 1 << 62}))
    runs.status.run_id, runs.error = "this-one", WorkerError("the worker publish died")
    shown = here(capsys, "run", "-s", "a.mkv", "-o", tmp_path)
    assert shown.code == 1
    assert ("What was written before the failure" in shown.err) == is_told
