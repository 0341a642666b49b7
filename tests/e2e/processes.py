"""The processes of a run: which there are, what they have done, and that none is left."""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from pathlib import Path

from tests.patience import until
from tests.processes import lives

QUICK = ["--embedder", "none", "--every", "3"]
"""What happens to processes does not depend on how much they compute."""


def children_of(pid: int) -> dict[str, int]:
    """Worker processes by the name that they gave themselves, children of children too."""
    names, children = dict[int, str](), defaultdict[int, list[int]](list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text(encoding="utf-8")
            except OSError:
                continue
            name, rest = stat[stat.index("(") + 1 : stat.rindex(")")], stat[stat.rindex(")") + 2 :].split()
            if rest[0] != "Z":
                names[int(entry.name)] = name
                children[int(rest[1])].append(int(entry.name))
    found, waiting = {}, children[pid]
    for child in waiting:
        waiting += children[child]
        found[names[child]] = child
    return found


def is_working(process: subprocess.Popen[str], out: Path) -> bool:
    """The stream is live: all workers are up and frames flow."""
    assert process.poll() is None, process.stderr and process.stderr.read()
    path = out / "stream.jsonl"
    return path.exists() and '"live"' in path.read_text(encoding="utf-8")


def assert_nothing_left(workers: dict[str, int]) -> None:
    until(lambda: not any(lives(pid) for pid in workers.values()))


def results(out: Path) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """What a run found, without numbers that depend on which worker was faster: faces, and tracks that are over, with the
    frames of their pictures."""
    faces, tracks = [], []
    for line in (out / "faces.jsonl").read_text(encoding="utf-8").splitlines():
        face = json.loads(line)
        original = next(part["sha256"] for part in face["parts"] if part["name"] == "original")
        faces.append((face["stream"], face["frame_index"], tuple(face["box"]), original))
    for line in (out / "tracks.jsonl").read_text(encoding="utf-8").splitlines():
        track = json.loads(line)
        if track["ended"]:
            spans = (track["first_pts"], track["last_pts"])
            picture = track["picture"] or {"frames": [], "rejected": []}
            assert all((out / name).is_file() for name in track["files"].values()) if picture["frames"] else True
            fused = sorted([*(frame["frame_index"] for frame in picture["frames"]), *picture["rejected"]])
            tracks.append((track["stream"], *spans, track["frames_seen"], track["faces_enhanced"], *fused))
    return sorted(faces), sorted(tracks)
