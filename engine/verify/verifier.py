"""The stage that identifies faces: embeds them, compares them with the gallery, and fuses them over their tracks."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from msgspec.structs import replace

from engine.config.verify import VerifyConfig
from engine.contracts.faces import FaceCrop
from engine.contracts.findings import Basis, Candidate, Decision
from engine.contracts.frames import Float32, Uint8
from engine.contracts.gallery import GalleryVersion
from engine.errors import GalleryError
from engine.verify.compared import FaceScores, TrackScores
from engine.verify.embedder import Embedder
from engine.verify.evidence import Evidence, FaceEvidence, Fusion
from engine.verify.face_picture import face_in
from engine.verify.face_weights import face_weights_of
from engine.verify.gallery.change import Changed, is_later, why_changed
from engine.verify.gallery.opening import Followed
from engine.verify.gallery.records import not_comparable
from engine.verify.gallery.snapshot import Snapshot
from engine.verify.rules import rule_of
from engine.verify.scores import cosine_of

_log = logging.getLogger(__name__)
_RETRY_SECONDS = 1.0
"""How often a gallery that cannot be read is tried again."""
_NOBODY = Snapshot.of()


class EnhancedPicture(Protocol):
    """The part of an enhanced crop that is needed here."""

    @property
    def bgr(self) -> Uint8:
        """(height, width, 3) uint8."""
        ...

    @property
    def scale(self) -> int:
        """Factor by which both sides of the original crop were enlarged."""
        ...


@dataclass(slots=True)
class _Track:
    evidence: Evidence
    decision: Decision | None = None
    """The last decision that was reported."""
    name: str = ""
    """The name then; empty unless the decision was ``known``."""


class Verifier:
    """Scores faces and tracks; keeps a bounded number of face vectors for each track until it is forgotten.

    Use it from one thread, and create it in the process that uses it. The caller closes the embedder.

    Args:
        embedder: None: no vectors, and every decision is ``none``.
        gallery: read again whenever it changes or is replaced; it is followed, and may be closed. None: nobody to compare with.
        config: the deciding rule, see ``rule_of``; ``min_faces``, ``max_candidates``, ``enhanced_scores``.

    Raises:
        GalleryError: the gallery cannot be read, or does not fit the embedder. Later such errors are only reported.
        ConfigError: the thresholds are invalid.
    """

    def __init__(self, embedder: Embedder | None, gallery: Followed | None, config: VerifyConfig) -> None:
        self._embedder = embedder
        self._config = config
        self._people = _NOBODY
        self._tracks: dict[tuple[str, int], _Track] = {}
        self._rule = rule_of(embedder, config) if embedder else None
        self._weights = face_weights_of(embedder.sha256) if embedder else None
        self.notice = ""
        """One sentence about people in the gallery who cannot be compared; empty if there are none."""
        self.gallery_fault = ""
        """Why the gallery cannot be read now; empty if it can. The people known before stay in force meanwhile."""
        self._news: list[str] = []
        self._retry_at = 0.0
        self._watch = gallery.follow(embedder.sha256) if gallery and embedder else None
        self._load()
        self._compared = self._people
        """The gallery with which all tracks have been compared."""

    def score(
        self, crops: Sequence[FaceCrop], originals: Sequence[Uint8], enhanced: Sequence[EnhancedPicture | None]
    ) -> list[FaceScores]:
        """Compare faces with the gallery, and add them to their tracks.

        Args:
            crops: position and quality of each face.
            originals: the crops as (height, width, 3) uint8 BGR, at their native scale.
            enhanced: the same after super-resolution; None if there is none.

        Raises:
            InferenceError: the embedder fails.
        """
        self.refresh()
        if self._embedder is None:
            return [FaceScores(None, [], "none", self._people.version, False, self._people.gallery) for _ in crops]
        vectors, enhanced_vectors = self._embed(self._embedder, crops, originals, enhanced)
        scores = []
        for crop, vector, enhanced_vector in zip(crops, vectors, enhanced_vectors, strict=True):
            face = self._evidence_of(crop, vector, enhanced_vector)
            changed = self._add(crop, face)
            candidates, decision, _ = self._compare(self._nothing.add(face).fused(), min_faces=1)
            scores.append(FaceScores(vector, candidates, decision, self._people.version, changed, self._people.gallery))
        return scores

    def close(self) -> None:
        """Stop following the gallery; no other method may be called afterwards."""
        if self._watch is not None:
            self._watch.close()

    def refresh(self) -> None:
        """Take over a changed gallery, as ``score`` and ``changed_by_gallery`` do.

        A gallery that cannot be read prevents the start of a run, but does not end a running one.
        """
        if self._watch is None or time.monotonic() < self._retry_at:
            return
        try:
            self._load()
        except GalleryError as error:
            self._retry_at = time.monotonic() + _RETRY_SECONDS
            self.gallery_fault = str(error)
            self._news.append(f"{error}; meanwhile everyone is compared with what was read before")
        else:
            if self.gallery_fault:
                self._news.append(f"the gallery {self._watch.where} is read again")
            self.gallery_fault = ""

    def track_scores(self, stream: str, track_id: int) -> TrackScores:
        """Return a track's current scores; without faces it is ``undecided``, or ``none`` if nobody is enrolled.

        The decision counts as reported: only a different one is news afterwards. It rests on the gallery of the last
        ``refresh``.
        """
        track = self._tracks.get((stream, track_id))
        fused = track.evidence.fused() if track else Fusion()
        candidates, decision, basis = self._compare(fused)
        if track:
            _note(track, candidates, decision)
        who = self._people.version, basis, self._people.gallery
        return TrackScores(fused.vector, candidates, decision, fused.faces, *who)

    def changed_by_gallery(self) -> list[Changed]:
        """Return the tracks whose decision changed because the gallery has changed since the last call, each once."""
        self.refresh()
        if self._people is self._compared:
            return []
        self._compared = self._people
        found = []
        for key, track in self._tracks.items():
            name = track.name
            if self._has_news(track):
                found.append(Changed(*key, why_changed(name, track.name, self._people)))
        return found

    @property
    def gallery(self) -> GalleryVersion | None:
        """Version of the gallery in use; None without a gallery."""
        return self._people.gallery

    def beside(self, candidates: Sequence[Candidate], crop: FaceCrop, picture: Uint8, scale: int) -> list[Candidate]:
        """Return candidates with the cosines of ``picture``, the crop enlarged ``scale`` times, as ``cosine_enhanced``.

        Raises:
            InferenceError: the embedder fails.
        """
        if self._embedder is None or not candidates or not self._config.enhanced_scores:
            return list(candidates)
        face, landmarks = face_in(crop, picture, scale)
        [vector] = self._embedder.embed([face], [landmarks])
        places = [self._people.place(one.identity) for one in candidates]
        return [
            replace(one, cosine_enhanced=None if place is None else cosine_of(vector, self._people, place))
            for one, place in zip(candidates, places, strict=True)
        ]

    def naming(self) -> str:
        """Return one sentence on what a name may currently claim; empty without an embedder."""
        return self._rule.sentence(self._people.pictures) if self._rule else ""

    def no_score(self) -> FaceScores:
        """Return the scores of a face that could not be compared."""
        decision: Decision = "undecided" if self._people.pictures else "none"
        return FaceScores(None, [], decision, self._people.version, False, self._people.gallery)

    def take_news(self) -> list[str]:
        """Return the sentences about the gallery since the last call: failed reads, and that it can be read again."""
        news, self._news = self._news, []
        return news

    def forget(self, stream: str, track_id: int) -> None:
        """Free the data of a track, if there is any."""
        self._tracks.pop((stream, track_id), None)

    @property
    def _nothing(self) -> Evidence:
        """Return an empty track. Without a measurement, faces below the embedder's ``unknown_cosine`` are two people."""
        if self._weights is not None:
            return Evidence(self._weights.apart_cosine)
        return Evidence(self._rule.thresholds.unknown_cosine if self._rule else -1.0)

    def _evidence_of(self, crop: FaceCrop, vector: Float32, enhanced: Float32 | None) -> FaceEvidence:
        quality, is_large = crop.quality, self._is_large(crop)
        weights = self._weights
        return FaceEvidence(
            vector.copy(),  # a view would keep its whole batch alive
            weights.weight(quality, vector) if weights else quality.score,
            crop.time.pts_seconds,
            None if enhanced is None else enhanced.copy(),
            quality.size_px,
            quality.score,
            is_large,
            is_nobody=weights is not None and weights.is_nobody(vector),
            can_part=weights is not None or is_large,
        )

    def _add(self, crop: FaceCrop, face: FaceEvidence) -> bool:
        """Add one face to its track; return whether that changed the track's decision."""
        track = self._tracks.setdefault((crop.stream, crop.track_id), _Track(self._nothing))
        track.evidence = track.evidence.add(face)
        return self._has_news(track)

    def _has_news(self, track: _Track) -> bool:
        """Compare a track in its current state; return whether its decision differs from the last reported one."""
        candidates, decision, _ = self._compare(track.evidence.fused())
        return _note(track, candidates, decision)

    def _embed(
        self,
        embedder: Embedder,
        crops: Sequence[FaceCrop],
        originals: Sequence[Uint8],
        enhanced: Sequence[EnhancedPicture | None],
    ) -> tuple[list[Float32], list[Float32 | None]]:
        faces = [face_in(crop, picture, 1) for crop, picture in zip(crops, originals, strict=True)]
        positions = {}
        is_compared = self._config.enhanced_scores and self._people.pictures > 0
        for index, (crop, item) in enumerate(zip(crops, enhanced, strict=True)):
            if item is not None and is_compared:
                positions[index] = len(faces)
                faces.append(face_in(crop, item.bgr, item.scale))
        vectors = embedder.embed([picture for picture, _ in faces], [landmarks for _, landmarks in faces])
        second = [vectors[positions[index]] if index in positions else None for index in range(len(crops))]
        return list(vectors[: len(crops)]), second

    def _compare(self, faces: Fusion, min_faces: int | None = None) -> tuple[list[Candidate], Decision, Basis | None]:
        if self._rule is None or not self._people.pictures:
            return [], "none", None
        if faces.vector is None:
            return [], "undecided", None
        least = self._config.min_faces if min_faces is None else min_faces
        if not (people := self._nameable(faces.vector)).pictures:
            return [], "unknown" if faces.large_faces >= least else "undecided", None
        return self._rule.compare(faces, people, self._config.max_candidates, least)

    def _nameable(self, vector: Float32) -> Snapshot:
        """Return the people whose names this face may get, see ``engine.verify.gallery.negatives``."""
        without = self._people.denied(vector)
        return self._people.without(without) if without else self._people

    def _is_large(self, crop: FaceCrop) -> bool:
        return self._rule is not None and crop.quality.size_px >= self._rule.thresholds.min_size_px

    def _load(self) -> None:
        if self._watch is None or self._embedder is None or (people := self._watch.news()) is None:
            return
        if people.pictures and people.length != self._embedder.length:
            raise GalleryError(
                f"the gallery {self._watch.where} holds vectors of {people.length} values, the embedder "
                f"{self._embedder.name} makes {self._embedder.length}: restore it from a copy, or enrol again into a new file"
            )
        if self._people.gallery and people.gallery and not is_later(people.gallery, self._people.gallery):
            went_back = "is another one than before: it was made anew, or an earlier copy was put over it"
            self._news.append(f"the gallery {self._watch.where} {went_back}")
        self._people = people
        self.notice = not_comparable(people.other_embedder, self._embedder.name)
        if self.notice:
            _log.warning(self.notice)


def _note(track: _Track, candidates: Sequence[Candidate], decision: Decision) -> bool:
    """Store the decision on a track; return whether it is news."""
    name = candidates[0].identity if decision == "known" else ""
    is_first = track.decision is None and decision in ("undecided", "none")
    if is_first or (decision, name) == (track.decision, track.name):
        return False
    track.decision, track.name = decision, name
    return True
