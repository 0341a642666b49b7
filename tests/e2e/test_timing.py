"""What is found in a recording depends on nothing that happens beside it; ``tests.bench.timing`` asks for more, and longer."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
from itertools import islice
from pathlib import Path

import av
import pytest

from tests.bench.timing import ELSEWHERE, Bench, Way
from tests.e2e.conftest import Clip
from tests.e2e.said import differences

pytestmark = pytest.mark.e2e


def beginning(video: Path, target: Path, frames: int = 50) -> Path:
    """Copy the first group of pictures of the sample."""
    with av.open(str(video)) as source, av.open(str(target), "w") as copy:
        copied = copy.add_stream_from_template(source.streams.video[0])
        for packet in islice(source.demux(video=0), frames):
            packet.stream = copied
            copy.mux(packet)
    return target


def test_what_a_recording_gives_is_the_same_alone_and_beside_another_whoever_is_faster(clip: Clip, tmp_path: Path):
    one, other, gallery = beginning(clip.video, tmp_path / "one.mp4"), tmp_path / "other.mp4", tmp_path / "gallery.sqlite"
    shutil.copy(one, other)
    for picture in sorted(clip.enrolment.glob("*.png"))[:2]:
        command = [sys.executable, "-m", "engine", "enrol", picture.stem, str(picture), "--gallery", str(gallery), "--force"]
        subprocess.run(command, check=True, capture_output=True, timeout=240)
    bench = Bench(tmp_path, [one, other], gallery, random.Random(1))
    alone, _ = bench.run(Way("alone", alone=True))
    assert sum(": face at " in name for name in alone) >= 6
    workers = {"super_resolve": {"workers": 3}, "detect": {"workers": 3}}
    beside = Way("beside", workers, ELSEWHERE, stops=True, reverse=True)
    once, again = (bench.run(beside)[0] for _ in range(2))
    assert differences(alone, once, beside.ignored) == []
    assert differences(once, again) == [], "the numbers of tracks neither"
