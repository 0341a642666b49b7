"""Files that once went wrong, all in one run: each is right now, and none harms another."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.archive.files import whole_lines
from engine.cli import main
from tests.assets import shared
from tests.e2e.conftest import Clip, facestream

pytestmark = pytest.mark.e2e

FILES = {
    "sar": "anamorphic/sar.mp4", "b2": "anamorphic/b2.mp4", "nokeym4": "no-key-frame/nokeym4.ts",
    "inter": "interlaced/inter.mp4", "prog": "interlaced/prog.mp4", "off_mkv": "start-offset/off_mkv.mkv",
    "wrapmid": "start-offset/wrapmid.ts", "exif_mjpeg": "exif-jpeg/exif_mjpeg.avi", "Canon_40D": "exif-jpeg/Canon_40D.jpg",
    "water_180_mvhevc_5frames": "view-ids/water_180_mvhevc_5frames.mov",
    "prog_8s_enc_dashinit": "encrypted/prog_8s_enc_dashinit.mp4", "good": "one-bad-file/good.ivf",
    "seq": "picture-series/seq", "c": "upside-down-photo/c.mp4",
}  # fmt: skip


class Run:
    """What the run of all files left."""

    def __init__(self, directory: Path, code: int, said: str) -> None:
        self.directory, self.code, self.said = directory, code, said
        self.faces: dict[str, list[dict]] = defaultdict(list)
        self.ends: dict[str, dict] = {}
        for line in whole_lines(directory / "faces.jsonl"):
            face = json.loads(line)
            self.faces[face["stream"]].append(face)
        for line in whole_lines(directory / "stream.jsonl"):
            event = json.loads(line)
            self.ends[event["stream"]] = event

    def best_of(self, stream: str, identity: str = "astronaut") -> tuple[float, dict]:
        """Return the highest cosine with a person, and the face."""
        scored = [
            (candidate["cosine_original"], face)
            for face in self.faces[stream]
            for candidate in face["candidates"]
            if candidate["identity"] == identity
        ]
        return max(scored, key=lambda pair: pair[0])


@pytest.fixture(scope="module")
def run(clip: Clip, tmp_path_factory: pytest.TempPathFactory) -> Run:
    paths = [shared(f"cases/{path}") for path in FILES.values()]
    directory = tmp_path_factory.mktemp("cases")
    gallery = directory / "g.sqlite"
    for name, photo in (
        ("astronaut", clip.enrolment / "astronaut.png"),
        ("turned", shared("cases/upside-down-photo/astro_up.jpg")),
        ("avif", shared("cases/avif-rotation/o6.avif")),
        ("jpeg", shared("cases/avif-rotation/o6.jpg")),
    ):
        # All of them show the same woman, which is put in question: here each is wanted.
        with pytest.raises(SystemExit, match=r"^0$"):
            main(["enrol", name, str(photo), "--gallery", str(gallery), "--force"])
    sources = [word for path in paths for word in ("--source", path)]
    options = ["--policy", "interval", "--generator", "bicubic", "--quiet"]  # it is originals that are looked at here
    done = facestream("run", *sources, "--gallery", gallery, "--out", directory / "out", *options)
    return Run(directory / "out", done.returncode, done.stderr)


def test_every_file_but_the_encrypted_one_is_read(run: Run):
    assert run.code == 1
    assert set(run.ends) == set(FILES)
    failed = {stream: end["reason"] for stream, end in run.ends.items() if end["state"] != "ended"}
    assert failed == {"prog_8s_enc_dashinit": "encrypted"}
    assert "prog_8s_enc_dashinit failed (encrypted): encrypted: " in run.said
    frames = {stream: end["counters"]["frames"] for stream, end in run.ends.items()}
    assert (frames["exif_mjpeg"], frames["Canon_40D"], frames["water_180_mvhevc_5frames"]) == (1, 1, 5)


def test_an_anamorphic_recording_has_round_faces(run: Run):
    (cosine, face), (plain_cosine, plain) = run.best_of("sar"), run.best_of("b2")
    assert face["box"][2:] == pytest.approx(plain["box"][2:], rel=0.08)
    assert cosine > plain_cosine - 0.01
    assert face["decision"] == plain["decision"]


def test_nothing_is_published_from_before_the_first_key_frame(run: Run):
    assert run.ends["nokeym4"]["counters"]["drops.no_key_frame"] == 27
    assert "its first 27 pictures" in run.ends["nokeym4"]["detail"]
    for face in run.faces["nokeym4"]:
        assert face["pts"] * face["time_base"][0] / face["time_base"][1] >= 3.4


def combs(run: Run, stream: str) -> float:
    """Return the mean of second differences over one line against two, of the best original."""
    face = max(run.faces[stream], key=lambda one: one["quality"]["score"])
    luma = cv2.imread(str(run.directory / face["files"]["original"]), cv2.IMREAD_GRAYSCALE).astype(float)
    near = np.abs(luma[1:-3] - 2 * luma[2:-2] + luma[3:-1]).mean()
    return float(near / np.abs(luma[:-4] - 2 * luma[2:-2] + luma[4:]).mean())


def test_an_interlaced_recording_is_as_good_as_a_progressive_one(run: Run):
    assert combs(run, "inter") == pytest.approx(combs(run, "prog"), abs=0.12)
    assert combs(run, "inter") < 0.65


@pytest.mark.parametrize("stream", ["off_mkv", "wrapmid"])
def test_time_counts_from_the_beginning(run: Run, stream: str):
    times = [face["pts_seconds"] for face in run.faces[stream]]
    assert times
    assert min(times) >= 0
    assert max(times) <= 1.97


def test_a_folder_of_pictures_is_one_stream_with_one_person(run: Run):
    assert run.ends["seq"]["counters"]["frames"] == 10
    assert len({face["track_id"] for face in run.faces["seq"]}) == 1


def test_a_photograph_on_its_head_is_enrolled_upright(run: Run):
    cosine, _ = run.best_of("c", "turned")
    assert cosine >= 0.97


def test_avif_is_turned_as_jpeg_is(run: Run):
    assert run.best_of("c", "avif")[0] == pytest.approx(run.best_of("c", "jpeg")[0], abs=0.02)
