from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.contracts.messages import AnyMessage, End, Face, Track, kind_of
from engine.results.once_more import Renumbering, send_once_more
from engine.results.recorded import Lost
from tests.publish.samples import as_sent, face, track
from tests.results.runs import Made, make_run


class Clock:
    """A clock that only waiting moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def _sent(made: Made, lost: Lost | None = None, **options: object) -> list[tuple[float, AnyMessage, list[bytes]]]:
    clock, sent = Clock(), []
    send_once_more(
        made.run, "run2", lambda message, payloads: sent.append((clock.seconds, message, payloads)), lost or Lost(),
        now=clock.now, sleep=clock.sleep, **options,
    )  # fmt: skip
    return sent


def test_a_reader_sees_the_run_again_as_another_one(tmp_path: Path) -> None:
    made = make_run(tmp_path)
    sent = _sent(made)
    *messages, end = [message for _, message, _ in sent]
    assert [kind_of(one) for one in messages] == [kind_of(one) for one, _ in made.sent]
    for again, (once, _) in zip(messages, made.sent, strict=True):
        assert (again.run_id, again.seq) == ("run2", once.seq)
        assert again.sent_ns > once.sent_ns
        if isinstance(once, Face):
            assert isinstance(again, Face)
            assert again.sent_ns - again.captured_ns == once.sent_ns - once.captured_ns
            assert (again.box, again.candidates) == (once.box, once.candidates)
    assert isinstance(end, End)
    assert end.outcome == "completed"
    assert end.last_seq == {"stream/door": 1, "face/door": 2, "track/door": 3}


def test_payloads_are_those_that_were_sent_but_for_the_vectors(tmp_path: Path) -> None:
    made = make_run(tmp_path)
    for without in ({"embedding"}, set[str]()):
        for (_, message, payloads), (once, whole) in zip(_sent(made, without=without)[:-1], made.sent, strict=True):
            if isinstance(message, Face | Track) and isinstance(once, Face | Track):
                kept = [(p, w) for p, w in zip(once.parts, whole, strict=True) if p.name not in without]
                assert message.parts == [part for part, _ in kept]
                assert payloads == [bytes(payload) for _, payload in kept]


def test_they_come_at_the_pace_at_which_they_were_sent(tmp_path: Path) -> None:
    made = make_run(tmp_path, spread_seconds=0.5)
    assert [at for at, _, _ in _sent(made)][:4] == pytest.approx([0.0, 0.5, 1.0, 1.5])
    assert [at for at, _, _ in _sent(made, speed=2.0)][:4] == pytest.approx([0.0, 0.25, 0.5, 0.75])
    assert {at for at, _, _ in _sent(made, speed=None)} == {0.0}


def test_the_pause_between_two_attempts_is_short(tmp_path: Path) -> None:
    made = make_run(tmp_path)
    path = made.run.directory / "stream.jsonl"
    first, last = path.read_text().splitlines(keepends=True)
    later = last.replace('"run_id":"run1"', '"run_id":"run1-2"').replace('"sent_ns":1', '"sent_ns":2')
    path.write_text(first + later)
    assert _sent(made)[-1][0] == pytest.approx(0.1 * 7 + 1.0)


def test_a_picture_that_has_changed_or_gone_is_left_out_and_told(tmp_path: Path) -> None:
    made = make_run(tmp_path)
    changed = made.run.directory / "faces/door/1/000000_enhanced.jpg"
    changed.write_bytes(changed.read_bytes() + b"\0")
    (made.run.directory / "faces/door/1/000001_original.jpg").unlink()
    lost = Lost()
    faces = [
        (message, payloads) for _, message, payloads in _sent(made, lost, without={"embedding"}) if isinstance(message, Face)
    ]
    assert [part.name for part in faces[0][0].parts] == ["original"]
    assert [part.name for part in faces[1][0].parts] == ["enhanced"]
    assert all(len(message.parts) == len(payloads) for message, payloads in faces)
    assert (lost.missing, lost.changed) == (1, [changed])


def test_when_it_is_stopped_the_last_message_says_so(tmp_path: Path) -> None:
    made = make_run(tmp_path)
    asked = iter([False] * 3 + [True] * 99)
    sent = _sent(made, speed=None, should_stop=lambda: next(asked))
    assert [kind_of(message) for _, message, _ in sent] == ["stream", "face", "face", "end"]
    end = sent[-1][1]
    assert isinstance(end, End)
    assert (end.outcome, end.last_seq) == ("drained", {"stream/door": 0, "face/door": 1})


def test_the_best_face_of_a_track_is_the_one_with_its_new_number() -> None:
    numbers = Renumbering("run2")
    old = [as_sent(face(track_id=3, index=index)[0], seq=40 + index) for index in range(3)]
    new = [numbers.of(message, 5) for message in old]
    assert [message.seq for message in new] == [0, 1, 2]
    best = numbers.of(replace(as_sent(track(track_id=3)[0]), best_face_seq=41), 6)
    assert isinstance(best, Track)
    assert best.best_face_seq == 1
    gone = numbers.of(replace(as_sent(track(track_id=3)[0]), best_face_seq=41), 7)
    assert isinstance(gone, Track)
    assert gone.best_face_seq is None
