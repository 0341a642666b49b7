"""A service that the console's tests play: what it answers and tells has the structs of the real one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec

from engine.config import SourceConfig
from engine.contracts import track_picture
from engine.contracts.findings import Candidate, Enhanced, Quality
from engine.contracts.messages import Face, Part, StageStats, Track
from engine.contracts.probed import Probed, ProbedFace
from engine.control import answers
from engine.web.fleet import FleetSeen
from tests.web.console import fake_pictures

RUN = "run-1"


class FakeService:
    """Streams, people, faces and tracks in memory.

    Args:
        tell: called with the name and value of every event.
    """

    def __init__(self, tell: Callable[[str, Any], None]) -> None:
        self._tell = tell
        self.streams: dict[str, answers.Stream] = {}
        self.people: dict[str, answers.Person] = {}
        self.apart: list[answers.SetApart] = []
        self.pictures: dict[str, bytes] = {}
        self.tracks: list[dict[str, Any]] = []
        self.wrong: list[tuple[str, int, str]] = []
        self.settings: dict[str, Any] = {"verify.false_name_rate": 0.001, "verify.min_faces": 2, "live.adapt": True}
        self.log: list[answers.Event] = []
        self.state: str = "running"
        self.overload_level = 0
        self.fleet: FleetSeen | None = None
        self._seq = 0
        self._moved = 0

    def add_stream(self, name: str, state: str = "live", **facts: Any) -> answers.Stream:
        source = facts.pop("source", None) or SourceConfig(uri=f"rtsp://192.0.2.7/{name}", name=name)
        live = {"fps": 25.0, "detections_per_second": 12.5, "width_px": 1920, "height_px": 1080}
        live |= {"latency_p50_ms": 84.0, "latency_p99_ms": 212.0} if state == "live" else {}
        self.streams[name] = answers.Stream(name=name, source=source, **{**live, **facts}, state=state)
        self.note("stream_added", stream=name)
        return self.streams[name]

    def change(self, name: str, **facts: Any) -> answers.Stream:
        self.streams[name] = msgspec.structs.replace(self.streams[name], **facts)
        return self.streams[name]

    def note(self, name: str, level: answers.Severity = "info", **fields: Any) -> None:
        event = answers.Event(number=len(self.log), time_ns=time.time_ns(), level=level, name=name, fields=fields)
        self.log = [*self.log[-49:], event]

    def tick(self) -> None:
        """Go on by one second, and tell the status."""
        self._moved += 1
        for name, stream in self.streams.items():
            if stream.state == "live" and not stream.paused:
                self.change(name, frames=stream.frames + 25, funnel=_more(stream.funnel), seconds_in_state=float(self._moved))
        self._tell("status", self.status())

    def preview(self, name: str, faces: tuple[tuple[int, int, str], ...] = ()) -> None:
        """Show a picture of a stream, with ``(who, track, name)`` on it."""
        key = f"{name}-{self._moved}-{len(self.pictures)}"
        self.pictures[key] = fake_pictures.scene(sum(name.encode()) % 7, tuple(who for who, _, _ in faces))
        boxes = [
            dict(zip(("x", "y", "width", "height"), fake_pictures.box_of(place), strict=True))
            | {"track_id": track, "name": known}
            for place, (_, track, known) in enumerate(faces)
        ]
        event = {"stream": name, "url": f"/api/v1/pictures/{key}", "width_px": 1920, "height_px": 1080, "boxes": boxes}
        self._tell("preview", event)

    def face(self, stream: str, track: int, who: int = 0, side_px: int = 48, **facts: Any) -> dict[str, Any]:
        """Tell a face, and return its event."""
        self._seq += 1
        now = facts.pop("at_ns", time.time_ns())
        candidates = facts.pop("candidates", [])
        decision = facts.pop("decision", "undecided")
        quality = Quality(**({"size_px": side_px / 1.5, "sharpness": 0.71, "frontal": 0.88, "score": 0.74} | facts))
        face = Face(
            run_id=RUN, stream=stream, seq=self._seq, sent_ns=now, track_id=track, frame_index=self._seq, pts=None,
            time_base=(1, 90000), pts_seconds=1.0, captured_ns=now, box=(10.0, 10.0, 40.0, 44.0), landmarks=None,
            detection_score=0.93, quality=quality, crop_box=(4, 4, side_px, side_px),
            enhanced=Enhanced("compact_fine_x4", 4, 41.2), decision=decision, candidates=candidates, gallery_version=1,
            parts=[Part("original", "jpeg", (side_px, side_px, 3), "uint8", "")], live=True,
        )  # fmt: skip
        key = f"{stream}-{who}-{side_px}"
        self.pictures[f"{key}-o"] = fake_pictures.original(who, side_px)
        self.pictures[f"{key}-e"] = fake_pictures.enhanced(who, side_px)
        urls = {"original": f"/api/v1/pictures/{key}-o", "enhanced": f"/api/v1/pictures/{key}-e"}
        event = msgspec.to_builtins(face) | {"pictures": urls}
        self._tell("face", event)
        return event

    def track(self, face: dict[str, Any], decision: str, candidates: list[Candidate], faces: int = 4, made_of: int = 0) -> None:
        """Tell what a face's track is decided to be, and keep it in the time line; ``made_of``: frames of its picture."""
        frames = [track_picture.FusedFrame(index, index / 25, 1 / made_of) for index in range(made_of)]
        picture = track_picture.TrackPicture("compact_track_x4", 4, frames, [], 192, 192, 0.9) if made_of else None
        pictures = {"track": face["pictures"]["enhanced"]} if made_of else {}
        now = face["captured_ns"]
        track = Track(
            run_id=RUN, stream=face["stream"], seq=self._seq, sent_ns=now, track_id=face["track_id"], ended=False,
            first_pts_seconds=0.0, last_pts_seconds=2.0, first_pts=None, last_pts=None, time_base=(1, 90000), frames_seen=50,
            faces_enhanced=faces, best_face_seq=face["seq"], decision=decision, candidates=candidates, gallery_version=1,
            picture=picture,
        )  # fmt: skip
        shown = msgspec.to_builtins(picture) | {"pictures": pictures} if picture else None
        line = {
            "run_id": RUN, "stream": track.stream, "track_id": track.track_id, "decision": decision,
            "candidates": msgspec.to_builtins(candidates), "first_ns": now - 2_000_000_000, "last_ns": now, "frames_seen": 50,
            "faces": faces, "best": face, "picture": shown,
        }  # fmt: skip
        self.tracks = [
            line,
            *(one for one in self.tracks if (one["stream"], one["track_id"]) != (track.stream, track.track_id)),
        ]
        self._tell("track", msgspec.to_builtins(track) | {"pictures": pictures})

    def enrol(self, name: str, picture: str, content: bytes, force: bool = False) -> answers.Enrolled:
        """Add a picture; one of less than 2 kB is refused, and one that is called like Bob set apart."""
        quality = Quality(size_px=112.0, sharpness=0.8, frontal=0.95, score=0.85)
        verdict = answers.PictureVerdict(name=picture, outcome="enrolled", quality=quality)
        if len(content) < 2000:
            verdict = answers.PictureVerdict(
                name=picture, outcome="refused", reason="The face is 14 px wide; at least 32 are needed."
            )
        elif picture.startswith("like-bob") and not force:
            verdict = answers.PictureVerdict(
                name=picture, outcome="quarantined", reason="it looks like Bob: it is set apart, and is compared with nobody",
                remedy=f"if it is {name}, `facestream ctl people release 3fa91c22 --name {name}`", quality=quality,
            )  # fmt: skip
        else:
            before = self.people.get(name, answers.Person(name=name, pictures=0))
            self.people[name] = msgspec.structs.replace(before, pictures=before.pictures + 1)
        return answers.Enrolled(name=name, pictures=[verdict])

    def set_apart(self, name: str, file: str, reason: str, portrait: bytes) -> None:
        """Keep a picture that nobody is compared with."""
        digest = f"{len(self.apart):064x}"
        at = "2026-03-01T10:00:00+00:00"
        self.apart.append(
            answers.SetApart(name=name, picture=digest, file=file, reason=reason, quality=0.6, at=at, portrait=portrait)
        )

    def decide(self, picture: str, what: str, name: str) -> None:
        """Enrol a picture that was set apart, or forget it."""
        self.apart = [one for one in self.apart if (one.name, one.picture) != (name, picture)]
        if what == "release":
            before = self.people.get(name, answers.Person(name=name, pictures=0))
            self.people[name] = msgspec.structs.replace(before, pictures=before.pictures + 1)

    def probe(self, source: SourceConfig) -> Probed:
        x, y, width, height = fake_pictures.box_of(0)
        seen = ProbedFace(x=x, y=y, width=width, height=height, score=0.9)
        advice = "One face, 240 px wide: large enough to recognise."
        return Probed(
            shown=source.uri.rpartition("@")[2], codec="h264", width_px=1920, height_px=1080, fps=25.0,
            picture=fake_pictures.scene(1, (0,)), faces=[seen], advice=advice,
        )  # fmt: skip

    def status(self) -> answers.Status:
        stage = StageStats(items=100, items_per_second=12.5, p50_ms=8.4, p99_ms=21.0, queue_depth=1)
        return answers.Status(
            version="1.0", state=self.state, ready=True, run_id=RUN, uptime_seconds=3600.0 + self._moved,
            models={"detector": "grey (onnxruntime, cpu, float32)", "generator": "compact_fine_x4 (onnxruntime, cpu, float32)"},
            workers=[
                answers.Worker(name=f"camera-{name}", alive=True, restarts=0, pid=4000 + index)
                for index, name in enumerate(list(self.streams)[:8])
            ],
            stages={"detect": stage, "track": stage, "enhance": stage, "verify": stage, "publish": stage},
            counters={"frames": 25 * self._moved, "faces": self._seq}, drops={"late": 3, "waiting_frames": 11},
            streams=list(self.streams.values()), events=self.log, overload_level=self.overload_level,
        )  # fmt: skip


def _more(funnel: answers.Funnel) -> answers.Funnel:
    gained = {"frames": 25, "detected_frames": 12, "found": 9, "too_small": 3, "outranked": 4, "blurred": 1, "enhanced": 2}
    return answers.Funnel(**{name: getattr(funnel, name) + gained.get(name, 0) for name in funnel.__struct_fields__})
