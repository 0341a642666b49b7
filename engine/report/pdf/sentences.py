"""What the pages say of a track, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.archive.reader import TrackRecord
from engine.contracts.findings import Basis, Decision
from engine.exhibit import ChainStatus, Confirmation, confirmed_by, is_same_name, is_shown
from engine.report.figures import MARK
from engine.words.numbers import count, told_apart
from engine.words.worth import bounded, ratio, worth

_LONG_NAME, _FAULTS = 70, 5
UNNAMED = {"unknown": "No match found", "undecided": "Not decided", "none": "Not compared"}
DECISIONS: dict[Decision, str] = {
    "known": "named by the software",
    "undecided": "not decided",
    "unknown": "without a match",
    "none": "not compared",
}
_FOUND = (
    "A program trained on examples (a network) finds faces in the frames of the recording. Faces that follow one another "
    "are one track: one person's way through the picture."
)
_COMPARED = (
    "Another network turns each face, and each enrolled photograph, into a list of numbers. The numbers (not the pictures) "
    "of the track's faces are averaged, good faces counting more. What decides is how alike two lists are, once what "
    "they share with everybody's face is taken away."
)
_NOT_COMPARED = "There was nobody to compare these faces with."
_ENHANCED = (
    "Only the original pixels decide. The enhanced pictures are drawn by a third network for a person to look at: details in "
    "them are likely ones, not recorded ones."
)


def method(record: TrackRecord) -> tuple[str, ...]:
    """Return how it was done, in plain words."""
    return _FOUND, _COMPARED if record.candidates else _NOT_COMPARED, _ENHANCED


@dataclass(frozen=True)
class Confirmed:
    """What people have said of the tracks of a run, and how many of them a name needs."""

    said: Sequence[Confirmation] = ()
    """In the order in which it was said."""
    two_person: bool = False
    """A name counts once two people have confirmed it."""

    def lacks(self, record: TrackRecord) -> bool:
        """Whether a track has a name of the software that must be confirmed and is not."""
        name = _name_of(record)
        return self.two_person and bool(name) and not is_shown(self._by(record, name), two_person=True)

    def words(self, record: TrackRecord) -> str:
        """Return what people say of a track, also against the name that the software gave; empty if there is no name and nobody
        has said anything.
        """
        name = _name_of(record)
        names = dict.fromkeys(one.name for one in self.said if (one.stream, one.track_id) == (record.stream, record.track_id))
        told = [
            f"{_and(by)} {_says(by)} that it is {one}."
            for one in names
            if one and not is_same_name(one, name) and (by := self._by(record, one))
        ]
        return " ".join([*([self._confirmation(record, name)] if name else []), *told])

    def _confirmation(self, record: TrackRecord, name: str) -> str:
        """Return who has confirmed the name that the software gave."""
        by = self._by(record, name)
        if self.lacks(record):
            who = f"{_and(by)} {_says(by)} so, nobody else" if by else "nobody has"
            return f"Two people must confirm this name, and {who}: it does not count yet."
        return f"Confirmed by {_and(by)}." if by else "No person has confirmed it."

    def _by(self, record: TrackRecord, name: str) -> tuple[str, ...]:
        return confirmed_by(self.said, record.stream, record.track_id, name)


def _name_of(record: TrackRecord) -> str:
    return record.candidates[0].identity if record.decision == "known" and record.candidates else ""


def _says(by: Sequence[str]) -> str:
    return "says" if len(by) == 1 else "say"


def _and(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def headline(record: TrackRecord, confirmed: Confirmed) -> str:
    """Return what a page is called: the name, or why there is none."""
    if not (name := _name_of(record)):
        return UNNAMED.get(record.decision, "Not compared")
    return f"{'Not confirmed' if confirmed.lacks(record) else 'Named by the software'}: {name}"


def finding(record: TrackRecord) -> str:
    """Return the decision in one or two sentences."""
    basis, first = (record.track.basis if record.track else None), record.candidates[0] if record.candidates else None
    if record.decision == "known" and first is not None:
        name = first.identity if brief(first.identity) == first.identity else "above"
        return f"The software gives this face the name {name}. A computer made this comparison."
    if record.decision == "undecided":
        nearest = f" The most alike of the people enrolled is {first.identity}: that is not a name." if first else ""
        return f"The software did not decide who this is: {_lack(basis)}.{nearest}"
    if record.decision == "unknown":
        nearest = f" The most alike is {first.identity}: that is not a name." if first else ""
        by_chance = basis is not None and basis.false_name_rate is not None
        rare = " Fewer than 1 in 100 tracks of enrolled people are so unlike their own pictures." if by_chance else ""
        return f"The face is not enough like that of anybody enrolled; the person may be enrolled all the same.{rare}{nearest}"
    return "The software compared this face with nobody: the run had no gallery, or nobody was enrolled in it."


def brief(name: str) -> str:
    """Return a name that fits into a line; the whole one stands elsewhere on the page, or in the records."""
    return name if len(name) <= _LONG_NAME else f"{name[: _LONG_NAME - 1].rstrip()}…"


def _lack(basis: Basis | None) -> str:
    if basis is None:
        return "it had not seen enough when the run ended"
    if basis.missing == "faces":
        return f"the track has {count(basis.faces, 'face')} good enough to compare, and a decision needs {basis.faces_needed}"
    if basis.missing == "size":
        if basis.size_needed_px is None:
            return f"its faces are too small, {basis.size_px:.0f} px in the mean (no size would do with this gallery)"
        size, needed = told_apart(basis.size_px, basis.size_needed_px, 0)
        return f"its faces are too small, {size} px in the mean ({needed} px are needed with this gallery)"
    if basis.missing == "margin":
        return "two people enrolled are nearly equally alike"
    return "nobody is alike enough for a name, nor is everybody unlike enough to be ruled out"


def strength(record: TrackRecord, people: int = 0, pairs: int = 0) -> Iterator[str]:
    """Yield what the best candidate's likelihood ratio says: in words, in figures, what it is not, and what it was measured on.

    Args:
        record: the track.
        people: behind the calibration; 0: not known.
        pairs: of two people, likewise.
    """
    basis, first = (record.track.basis if record.track else None), record.candidates[0] if record.candidates else None
    if first is None or basis is None:
        return
    if first.log10_lr is None or basis.log10_lr_bounds is None:
        small = " or so small a face" if basis.size_px < 20 else ""
        yield f"No likelihood ratio was calibrated for this way to compare{small}: the likeness alone is not a probability."
        return
    yield f"{worth(first.log10_lr, brief(first.identity))}."
    yield _times(first.log10_lr, basis.log10_lr_bounds)
    named = "" if record.decision == "known" else " The software gave no name: the ratio is not a finding by itself."
    yield f"This is not the probability that the face is this person's: that takes the other evidence, too.{named}"
    low, high = (ratio(bound) for bound in basis.log10_lr_bounds)
    measured = f" on {people:,} people with a second picture of their own and {pairs:,} pairs of two people" if people else ""
    yield (
        f"Measured for faces of {basis.bucket}{measured} (calibration {basis.calibration}). A test with so many people "
        f"can show no ratio above {high} or below {low}, even if the true one lies beyond. That is a limit of the test, not a "
        "margin of error, which was not measured."
    )


def _times(log10_ratio: float, bounds: tuple[float, float]) -> str:
    figures = f"(likelihood ratio {bounded(log10_ratio, bounds)}, log10 {log10_ratio:.1f})"
    one, other = ("this person's", "a stranger's") if log10_ratio >= 0 else ("a stranger's", "this person's")
    at_bound = " or more" if not bounds[0] < log10_ratio < bounds[1] else ""
    times = f"{ratio(abs(log10_ratio))} times{at_bound} as probable"
    return f"If the face is {one}, such a likeness is {times} as if it is {other} {figures}."


def limits(record: TrackRecord) -> Iterator[str]:
    """Yield what may not be concluded."""
    if record.candidates:
        yield (
            "The likelihood ratio is about one person. If many are enrolled, somebody looks alike by chance: for the best "
            "of many it is too high. For relatives and twins it is too high, too; by how much was not measured."
        )
        yield "No figure here was measured with this camera: angle, light, infra-red can make strangers more alike."
        yield "Whether the enrolled photographs show whom their names say, the software cannot know."
    quality = record.best.face.quality if record.best else None
    if quality is not None and quality.qp is not None:
        of = " of the whole picture" if quality.qp_of_picture else ""
        yield (
            f"The video is compressed (quantiser{of} {quality.qp:.0f}; 0: without loss, 51: strongest); the figures do not "
            "allow for it."
        )
    if record.candidates and record.decision != "known":
        yield "No name does not mean that the person is not enrolled."
    if record.track is not None and record.track.basis is not None and record.track.basis.persons > 1:
        persons = record.track.basis.persons
        yield f"The faces of this track show {persons} people: the decision is about the one seen at the most moments."
    else:
        yield "A track may by mistake join faces of two people."
    yield f"{MARK}. Nothing may be read from an enhanced picture that its original does not show."


def record_words(status: ChainStatus) -> tuple[str, list[str]]:
    """Return what is known of the run's record: briefly, and for the first page."""
    if not status.blocks and status.faults:
        return 'cannot be checked, see "How to verify it"', [f"The record of the run cannot be checked: {status.faults[0]}."]
    told = [f"The record of the run is {status.sentence}.", *(f"{fault}." for fault in status.faults[1:_FAULTS])]
    if len(status.faults) > _FAULTS:
        told.append(f"{len(status.faults) - _FAULTS:,} more faults: facestream audit names all of them.")
    if said := status.unsigned_corrections:
        entries = count(said, "entry of people, such as a confirmation, is", "entries of people, such as confirmations, are")
        told.append(f"{entries} not signed: whoever can write into DIR can have made them.")
    if status.head:
        told.append(f"It has {count(status.blocks, 'block')}. The SHA-256 of the last one: {status.head}")
    signed = f"signed{', but for what people said' if status.unsigned_corrections else ''}"
    whole = "unchanged, by its own hashes; " + (signed if status.keys else "nobody has signed it")
    return whole if status.is_whole else 'NOT as it was written, see "How to verify it"', told
