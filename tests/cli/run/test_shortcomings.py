"""``facestream run``: what it did not do, and for whom a password is."""

from __future__ import annotations

import io
from contextlib import closing

import numpy as np
import pytest
from rich.console import Console

from engine.cli.run.result import tracks_table
from engine.contracts.counts import Counts
from engine.contracts.streams import StreamChanged
from engine.pipeline.status import RunStatus
from engine.pipeline.stream_status import StreamStatus
from engine.runtime.protocol import Beat
from engine.verify.gallery.opening import open_gallery
from tests.cli.command import complains, here
from tests.cli.statuses import status_of
from tests.desk.results import write_result

CAMERA = ("--source", "rtsp://192.0.2.1/x")
TWO_HOSTS = ("-s", "rtsp://192.0.2.1/x", "-s", "rtsp://192.0.2.2/x", "-s", "rtsp://me:own@192.0.2.3/x", "-o", "out")


def test_a_password_is_told_to_the_host_that_it_is_for(capsys, runs):
    """It was offered to every camera of the command line."""
    refused = here(capsys, "run", *TWO_HOSTS, "--credentials", "door.txt")
    complains(refused, 2, "would be sent to all of 192.0.2.1, 192.0.2.2", "--credentials 192.0.2.1=door.txt")
    here(capsys, "run", *TWO_HOSTS, "--credentials", "192.0.2.1=door.txt", "--credentials", "192.0.2.2=yard.txt")
    assert [source.credentials for source in runs.config.sources] == ["door.txt", "yard.txt", ""]
    here(capsys, "run", *TWO_HOSTS, "--credentials", "192.0.2.2=yard.txt")
    assert [source.credentials for source in runs.config.sources] == ["", "yard.txt", ""]
    complains(here(capsys, "run", *TWO_HOSTS, "--credentials", "192.0.2.9=x.txt"), 2, "no camera is at 192.0.2.9")
    main = ("-s", "rtsp://192.0.2.1/sub", "--crop-uri", "rtsp://192.0.2.2/main", "-o", "out")
    complains(here(capsys, "run", *main, "--credentials", "door.txt"), 2, "would be sent to all of")
    complains(here(capsys, "run", *main, "--credentials", "192.0.2.1=door.txt"), 2, "would both get it")


def test_of_many_tracks_those_with_a_name_are_shown_wherever_they_are(tmp_path):
    """The first thirty by stream were shown, so the one person who was recognised was not."""
    write_result(tmp_path / "r", [("ann", "Ann" if number == 40 else "", number) for number in range(45)], faces=1)
    table = tracks_table(tmp_path / "r")
    assert table is not None
    shown = io.StringIO()
    Console(file=shown, width=120).print(table)
    assert "Ann" in shown.getvalue()
    assert "30 of 45 tracks: those with a name, then the first" in shown.getvalue()


def test_recordings_that_a_stopped_run_never_began_are_counted(capsys, runs):
    """Those that it was at were named, as if they were all that was missing."""
    runs.status = RunStatus({name: StreamStatus(name) for name in ("door", "yard", "hall")})
    shown = here(capsys, "run", "--source", "x.mp4", "--out", "out", "-q")
    assert "stopped before the end: 3 recordings not begun; the same command with --resume" in shown.err
    runs.status.take_event(StreamChanged("door", "ended", "drained"))
    shown = here(capsys, "run", "--source", "x.mp4", "-q")
    assert "stopped before the end: door (0 frames read), and 2 recordings not begun" in shown.err


def test_where_no_camera_ever_gave_a_picture_the_exit_code_is_1(capsys, runs):
    """24 dead cameras were a success."""
    runs.status = RunStatus({name: StreamStatus(name) for name in ("door", "yard")})
    for name in runs.status.streams:
        runs.status.take_event(StreamChanged(name, "connecting", "network", "no route"))
    runs.cameras = frozenset(runs.status.streams)
    shown = here(capsys, "run", *CAMERA)
    assert shown.code == 1
    assert "never gave a picture: door, yard" in shown.err
    assert "no camera ever gave a picture" in shown.err
    runs.status.take_event(StreamChanged("door", "live", width_px=640, height_px=480))
    shown = here(capsys, "run", *CAMERA, "-q")
    assert shown.code == 0
    assert "never gave a picture: yard" in shown.err


@pytest.mark.parametrize(
    ("width", "height", "says"), [(640, 1, True), (8, 8, True), (1, 1, True), (11, 480, True), (12, 12, False)]
)
def test_a_recording_that_is_too_small_for_a_face_is_said(capsys, runs, width, height, says):
    """It was completed, with nothing found and no word."""
    runs.status = RunStatus({"strip": StreamStatus("strip")})
    runs.status.take_event(StreamChanged("strip", "live", width_px=width, height_px=height))
    shown = here(capsys, "run", "-s", "clip.mp4", "-o", "out")
    assert shown.code == 0
    words = f"too small to hold a face of 12 px (crop.min_size_px): strip ({width}x{height} px)"
    assert (words in " ".join(shown.err.split())) is says


def test_what_nobody_heard_is_said(capsys, runs):
    """`--publish` without a reader ended as a success without a word."""
    publish = ("run", "-s", "clip.mp4", "--publish", "tcp://127.0.0.1:5556")
    runs.status.take_beat(Beat("publish", {}, Counts({"published": 9, "unheard": 9}), finished=True))
    shown = here(capsys, *publish)
    assert shown.code == 0
    assert "nobody listened at tcp://127.0.0.1:5556: all 9 messages were lost; start the reader first" in shown.err
    runs.status.take_beat(Beat("publish", {}, Counts({"published": 9, "unheard": 2, "abandoned": 1}), finished=True))
    shown = here(capsys, *publish)
    assert "2 of 9 messages were sent to tcp://127.0.0.1:5556 while nobody listened" in shown.err
    assert "no reader took 1 message from tcp://127.0.0.1:5556" in shown.err


def test_what_could_not_be_written_is_said_and_1(capsys, runs):
    runs.status.take_beat(Beat("publish", {}, Counts({"unwritten": 3}), finished=True))
    shown = here(capsys, "run", *CAMERA, "-o", "out")
    assert shown.code == 1
    assert "3 messages could not be written to out, which is not complete" in shown.err
    runs.status, runs.problem = status_of("door"), "cannot write the report out/report.html: No space left on device"
    shown = here(capsys, "run", *CAMERA, "-o", "out")
    assert shown.code == 1
    assert "cannot write the report" in shown.err


def test_one_of_something_is_not_several(capsys, runs):
    runs.status = RunStatus({})
    runs.status.take_beat(Beat("publish", {}, Counts({"frames": 1, "tracks": 1, "faces": 1}), finished=True))
    assert "1 frame in 9.0 s (0.1 frames/s), 1 track, 1 face enhanced" in here(capsys, "run", "-s", "clip.mp4").err


@pytest.mark.parametrize("named", [False, True])
def test_where_nobody_is_enrolled_the_end_says_how_somebody_is(capsys, runs, monkeypatch, tmp_path, named):
    """Every track was `none`, without a word on what to do about it."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    gallery = tmp_path / "people.sqlite"
    option = ("--gallery", str(gallery)) if named else ()
    runs.status.take_beat(Beat("perceive", {}, Counts({"tracks": 2}), finished=True))
    command = ("run", "-s", "clip.mp4", "-o", "out", *option)
    where = f" --gallery {gallery}" if named else ""
    words = f"nobody is enrolled, so no face was compared: `facestream enrol NAME PICTURE{where}`"
    assert words in here(capsys, *command).err
    assert words not in here(capsys, *command, "--embedder", "none").err
    with closing(open_gallery(str(gallery) if named else "")) as opened:
        opened.add(
            "ada",
            np.ones(128, np.float32) / np.sqrt(np.float32(128)),
            embedder="dlib",
            embedder_sha256="ef" * 32,
            runtime="dlib",
            source_name="ada.png",
            picture_sha256="ab" * 32,
            quality=0.9,
        )
    assert words not in here(capsys, *command).err
