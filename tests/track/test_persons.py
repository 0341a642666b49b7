"""Nobody shares a track with somebody else, and nobody is parted without need."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import count

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.config import TrackConfig
from engine.contracts.frames import Detections, Float32, FrameTime, Planes, TrackEnd
from engine.track.judge import Limits
from engine.track.persons import Persons
from engine.track.tracker import Tracker

SIDE = 32
Place = tuple[float, float]


def face_of(name: str) -> np.ndarray:
    seed = int.from_bytes(name.encode(), "big")
    coarse = np.random.default_rng(seed).integers(20, 235, (8, 8)).astype(np.uint8)
    return cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)


class Judge:
    """Compares the pixels; counts how often it was asked for a vector."""

    def __init__(self) -> None:
        self.asked = 0

    def look(self, planes: Planes, box: Float32, landmarks: Float32 | None) -> Float32 | None:
        if landmarks is None:
            return None
        x, y = (round(float(value)) for value in box[:2])
        return planes.y[max(y, 0) : y + SIDE, max(x, 0) : x + SIDE].astype(np.float32)

    def vector(self, look: Float32) -> Float32 | None:
        self.asked += 1
        small = cv2.resize(look, (8, 8), interpolation=cv2.INTER_AREA).ravel()
        small = small - small.mean()
        return small / max(float(np.linalg.norm(small)), 1e-6)

    def limits(self, width_px: float) -> Limits:
        return Limits(0.3, 0.6, 0.8)


class Film:
    """Shows people at places, and notes who is in which track."""

    def __init__(self, landmarks: bool = True, **track: object) -> None:
        self.judge = Judge()
        config = TrackConfig(**track)  # type: ignore[arg-type]
        self.persons = Persons(self.judge, config.lost_seconds)
        self.tracker = Tracker(config, 25.0, count(1).__next__, 0.5, self.persons)
        self.tracks: dict[int, Counter[str]] = defaultdict(Counter)
        self.ends: list[TrackEnd] = []
        self._landmarks, self._index = landmarks, 0

    def show(self, **people: Place | None) -> Film:
        picture = np.full((360, 640), 128, np.uint8)
        there = [(name, place) for name, place in people.items() if place is not None]
        for name, (x, y) in there:
            picture[round(y) : round(y) + SIDE, round(x) : round(x) + SIDE] = face_of(name)
        boxes = np.array([(x, y, SIDE, SIDE) for _, (x, y) in there], np.float32).reshape(-1, 4)
        points = np.full((len(there), 5, 2), 5.0 if self._landmarks else np.nan, np.float32)
        found = Detections(boxes, np.full(len(there), 0.9, np.float32), points)
        moment = FrameTime(self._index, self._index, (1, 25), self._index / 25, 0)
        faces, ends = self.tracker.update(moment, found, Planes(picture, picture[::2, ::2], picture[::2, ::2]))
        self._index += 1
        assert len({face.track_id for face in faces}) == len(faces)
        for face in faces:
            distances = [np.hypot(*(face.box[:2] - place)) for _, place in there]
            self.tracks[face.track_id][there[int(np.argmin(distances))][0]] += 1
        self.ends += ends
        return self

    def for_frames(self, number: int, **people: Place) -> Film:
        for _ in range(number):
            self.show(**people)
        return self

    def end(self) -> list[Counter[str]]:
        self.ends += self.tracker.reset()
        ids = [end.track_id for end in self.ends]
        assert len(set(ids)) == len(ids), "a track is closed once"
        assert set(ids) == set(self.tracks), "every track is closed, and none without a face"
        assert {end.track_id: end.frames_seen for end in self.ends} == {
            key: shown.total() for key, shown in self.tracks.items()
        }
        return [self.tracks[key] for key in sorted(self.tracks)]

    def people(self) -> list[str]:
        """Return who is in each track, in the order in which the tracks began."""
        return ["+".join(sorted(shown)) for shown in self.end()]


methods = pytest.mark.parametrize("method", ["bytetrack", "ocsort"])


@methods
@pytest.mark.parametrize("gap_frames", [0, 1, 3, 8, 20])
def test_another_person_in_the_same_place_begins_a_track(method: str, gap_frames: int):
    film = Film(method=method).for_frames(15, ada=(200, 100)).for_frames(gap_frames).for_frames(15, bob=(202, 99))
    assert film.people() == ["ada", "bob"]
    assert film.persons.counters["tracks.split"] == 1


@methods
@pytest.mark.parametrize("gap_frames", [1, 4, 10, 25])
def test_the_same_person_goes_on_after_a_gap(method: str, gap_frames: int):
    film = Film(method=method).for_frames(15, ada=(200, 100)).for_frames(gap_frames).for_frames(15, ada=(203, 100))
    assert film.people() == ["ada"]


@methods
def test_somebody_who_comes_out_further_on_is_found_again(method: str):
    """Too far for the boxes to overlap with where the tracker looks for them."""
    film = Film(method=method).for_frames(15, ada=(200, 100)).for_frames(8).for_frames(15, ada=(262, 104))
    assert film.people() == ["ada"]
    assert film.persons.counters["tracks.joined"] == 1


@methods
def test_a_stranger_who_comes_near_the_lost_one_is_not_taken_for_him(method: str):
    film = Film(method=method).for_frames(15, ada=(200, 100)).for_frames(8).for_frames(15, bob=(262, 104))
    assert film.people() == ["ada", "bob"]


@methods
@pytest.mark.parametrize("step", [2, 4, 8, 12])
def test_two_who_pass_each_other_keep_their_tracks(method: str, step: int):
    film = Film(method=method)
    for at in range(-96, 97, step):
        hides = abs(2 * at) < 0.8 * SIDE
        film.show(ada=(300 + at, 100), bob=None if hides else (300 - at, 104))
    assert film.people() == ["ada", "bob"]


@methods
def test_two_who_meet_and_turn_back_keep_their_tracks(method: str):
    """Where the tracker expects them to pass each other."""
    film = Film(method=method)
    for at in [*range(-90, 0, 6), *range(0, 90, 6)]:
        hides = abs(at) < 0.6 * SIDE
        film.show(ada=(300 - abs(at), 100), bob=None if hides else (300 + abs(at), 103))
    assert film.people() == ["ada", "bob"]


@methods
def test_two_faces_of_one_frame_are_never_one_track(method: str):
    """Two boxes change their people at once, so that each may claim the other's track."""
    film = Film(method=method).for_frames(12, ada=(200, 100), bob=(242, 100)).for_frames(12, bob=(200, 100), ada=(242, 100))
    assert film.people() == ["ada", "bob"]
    assert sum(shown.total() for shown in film.tracks.values()) >= 36


@methods
def test_without_landmarks_nothing_is_compared(method: str):
    film = Film(landmarks=False, method=method).for_frames(15, ada=(200, 100)).for_frames(8).for_frames(15, bob=(200, 100))
    assert film.people() == ["ada+bob"]
    assert film.judge.asked == 0


@methods
def test_who_stands_or_walks_alone_is_not_asked(method: str):
    film = Film(method=method)
    for index in range(60):
        film.show(ada=(100 + 4 * index, 60), bob=(400, 250))
    assert film.people() == ["ada", "bob"]
    assert film.judge.asked == 0


def test_who_is_lost_for_too_long_is_not_found_again():
    film = Film(lost_seconds=0.5).for_frames(15, ada=(200, 100)).for_frames(20).for_frames(15, ada=(200, 100))
    assert film.people() == ["ada", "ada"]
    assert [end.span.last.frame_index for end in film.ends] == [14, 49]


def test_the_track_of_somebody_who_was_replaced_ends_when_he_is_lost():
    film = Film(lost_seconds=0.5).for_frames(15, ada=(200, 100)).for_frames(12, bob=(200, 100))
    assert not film.ends
    film.for_frames(4, bob=(200, 100))
    assert [end.span.last.frame_index for end in film.ends] == [14]
    assert not film.tracker.is_idle
    assert film.people() == ["ada", "bob"]


def test_after_a_reset_nobody_is_known():
    film = Film().for_frames(10, ada=(200, 100))
    film.ends += film.tracker.reset()
    assert film.tracker.is_idle
    assert film.for_frames(10, ada=(200, 100)).people() == ["ada", "ada"]


steps = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(0, 3), st.integers(1, 12), st.booleans()), min_size=1, max_size=12
)


@given(steps, st.sampled_from(["bytetrack", "ocsort"]))
@settings(max_examples=40, deadline=None)
def test_whoever_stands_where_no_track_has_two_people(plan: list[tuple[str, int, int, bool]], method: str):
    """People stand in one of four places for a while, each in one at a time."""
    film = Film(method=method)
    places: dict[int, str] = {}
    for name, place, frames, is_there in plan:
        places = {at: who for at, who in places.items() if who != name and at != place}
        if is_there:
            places[place] = name
        film.for_frames(frames, **{who: (60.0 + 150 * at, 120.0) for at, who in places.items()})
    assert all(len(shown) == 1 for shown in film.end())


class Doubter(Judge):
    """Takes nobody for somebody else at one look."""

    def limits(self, width_px: float) -> Limits:
        return Limits(-1.0, 0.6, 0.8)


def doubtful_film() -> Film:
    film = Film()
    film.judge = Doubter()
    film.persons = Persons(film.judge, 1.5)
    film.tracker = Tracker(TrackConfig(), 25.0, count(1).__next__, 0.5, film.persons)
    return film


@pytest.mark.parametrize(("looks", "people"), [(1, ["ada"]), (2, ["ada"]), (3, ["ada", "bob"])])
def test_a_question_that_ends_without_an_answer_is_counted(looks: int, people: list[str]):
    film = doubtful_film().for_frames(15, ada=(200, 100)).for_frames(looks, bob=(202, 99))
    assert film.people() == people
    assert film.persons.counters["tracks.unanswered"] == (0 if "bob" in people else 1)


def test_where_the_detector_looks_seldom_the_first_look_decides():
    film = doubtful_film()
    for name in ["ada"] * 6 + ["bob"]:
        film.show(**{name: (200, 100)})
        film._index += 5
    assert film.people() == ["ada", "bob"]
    assert film.persons.counters["tracks.unanswered"] == 0


@pytest.mark.parametrize("start", range(8))
def test_how_seldom_it_looks_does_not_depend_on_when(start: int):
    """5 / 25 s are 0.2 s at each frame: of 2.2 - 2.0 and 0.6 - 0.4 one was more, the other less."""
    film = doubtful_film()
    film._index += start
    for name in ["ada"] * 6 + ["bob"]:
        film.show(**{name: (200, 100)})
        film._index += 4
    assert film.people() == ["ada", "bob"]
