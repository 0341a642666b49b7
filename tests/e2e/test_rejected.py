"""Faces that were found and not believed, through the whole of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import pytest

from engine.archive.rejected import rejected_lines
from engine.exhibit.verify import verify
from engine.pictures.x264 import repeatable_x264
from tests.assets import shared
from tests.e2e.conftest import facestream
from tests.jobs.clips import film
from tests.patience import PATIENCE_SECONDS, until

pytestmark = pytest.mark.e2e
QUICK = ["--generator", "bicubic"]
FRAMES = 70


def blurred(path: Path) -> Path:
    """Write a clip of two visitors, whose faces are so much out of focus that none is sure by itself."""
    sharp = film(path.with_name(f"sharp-{path.name}"), FRAMES, [(5, 20, 0), (45, 60, 1)])
    with av.open(str(sharp)) as read, av.open(str(path), "w") as written:
        stream = written.add_stream("libx264", rate=25, options={"threads": "1", **repeatable_x264()})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for frame in read.decode(video=0):
            soft = cv2.GaussianBlur(frame.to_ndarray(format="bgr24"), (0, 0), 5)
            written.mux(stream.encode(av.VideoFrame.from_ndarray(soft, format="bgr24")))
        written.mux(stream.encode(None))
    sharp.unlink()
    return path


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return blurred(tmp_path / "hall.mp4")


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., Path]:
    def written(**output: object) -> Path:
        path = tmp_path / "run.yaml"
        lines = [f"  {name}: {value}\n" for name, value in output.items()]
        path.write_text(f"track:\n  min_detections: {FRAMES - 1}\n" + ("output:\n" if lines else "") + "".join(lines))
        return path

    return written


def kept(directory: Path) -> list[tuple[int, float, int]]:
    """Return frame, score and looks of those whose picture is there."""
    found = [line for line in rejected_lines(directory) if line.picture(directory) is not None]
    return sorted((line.frame_index, round(line.score, 4), line.looks) for line in found)


def test_they_are_kept_with_a_picture_shown_audited_and_sent_to_nobody(tmp_path: Path, clip: Path, settings):
    out = tmp_path / "out"
    done = facestream("run", settings(), "--source", clip, "--out", out, *QUICK)
    assert done.returncode == 0, done.stderr
    assert "2 tracks of no face rejected" in done.stdout + done.stderr
    record = json.loads((out / "run.json").read_text())
    lines = list(rejected_lines(out))
    assert len(lines) == record["counters"]["rejected"] == 2
    assert [line.frame_index // 40 for line in lines] == [0, 1]
    for line in lines:
        picture = cv2.imread(str(line.picture(out)))
        assert picture.shape == line.parts[0].shape == (line.crop_box[3], line.crop_box[2], 3), "as large as in the source"
        assert 0.67 <= line.score < 0.845
        assert line.looks >= 10
    assert (out / "tracks.jsonl").read_bytes() == (out / "faces.jsonl").read_bytes() == b""
    assert record["counters"].get("faces", 0) == 0
    page = (out / "report.html").read_text()
    assert "Perhaps faces: 2 places that were not believed" in page
    assert "<b>2</b><span><a " in page
    assert facestream("audit", out).returncode == 0
    assert verify(out).pictures == 2
    assert facestream("export", out, "--to", "csv", "--out", tmp_path / "t.csv").returncode == 0
    refused = facestream("export", out, "--to", "jsonl", "--out", out / "rejected.jsonl", "--overwrite")
    assert refused.returncode == 2, "it is the run's own"
    gone = facestream("expire", out, "--pictures-days", "0.0000001")
    assert gone.returncode == 0, gone.stderr
    assert not list(out.glob("faces/*/*/*"))
    assert "Perhaps faces" not in (out / "report.html").read_text()


def test_they_can_be_fewer_or_none(tmp_path: Path, clip: Path, settings):
    for most in (1, 0):
        out = tmp_path / f"out{most}"
        done = facestream("run", settings(rejected_pictures=most, report="false"), "--source", clip, "--out", out, *QUICK)
        assert done.returncode == 0, done.stderr
        assert len(kept(out)) == len(list(out.glob("faces/*/*/*"))) == most
        assert json.loads((out / "run.json").read_text())["counters"]["rejected"] == 2
        assert verify(out).is_whole
    assert not (tmp_path / "out0" / "rejected.jsonl").exists()


def test_a_run_that_was_killed_goes_on_to_the_same(tmp_path: Path, clip: Path, settings):
    config, out = settings(report="false"), tmp_path / "out"
    command = ["run", str(config), "--source", str(clip), "--out", str(out), *QUICK]
    process = subprocess.Popen(
        [sys.executable, "-m", "engine", *command, "--realtime"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    until(lambda: process.poll() is not None or (out / "rejected.jsonl").exists())
    process.kill()
    process.communicate(timeout=PATIENCE_SECONDS)
    assert facestream(*command, "--resume").returncode == 0
    assert facestream("run", config, "--source", clip, "--out", tmp_path / "whole", *QUICK).returncode == 0
    assert kept(out) == kept(tmp_path / "whole")
    assert len(list(out.glob("faces/*/*/*"))) == 2
    assert verify(out).is_whole


def test_a_head_that_turns_away_is_shown(tmp_path: Path):
    """Six seconds of real footage: a man of whom little more than his glasses is seen."""
    source = shared("video/one-by-one-person-detection.mp4")
    with av.open(str(source)) as read, av.open(str(tmp_path / "door.mp4"), "w") as written:
        stream = read.streams.video[0]
        copy, first = written.add_stream_from_template(stream), 0
        read.seek(round(82 / stream.time_base), stream=stream)
        for packet in read.demux(stream):
            if packet.dts is None or packet.pts * stream.time_base > 88:
                break
            first = first or packet.dts
            packet.pts, packet.dts, packet.stream = packet.pts - first, packet.dts - first, copy
            written.mux(packet)
    out = tmp_path / "out"
    assert facestream("run", "--source", tmp_path / "door.mp4", "--out", out, *QUICK).returncode == 0
    [line] = rejected_lines(out)
    assert (line.frame_index, line.looks) == (34, 4)
    assert re.search(r"0.70 · 00:00:03.4\n.*door", (out / "report.html").read_text())
