"""Four people who were filmed by one camera in one room: nobody gets another's name, and who is in three clips gets his."""

from __future__ import annotations

from itertools import permutations

import av
import numpy as np
import pytest

from engine.config import DetectConfig
from engine.config.verify import VerifyConfig
from engine.desk.grouping import group_tracks
from engine.desk.likeness import Likeness, haze_of
from engine.desk.people import PRIOR
from engine.detect.judged import open_judged
from engine.models import find_model
from engine.pictures.colour import planes_from_bgr
from engine.verify.embedder import open_embedder
from engine.verify.evidence import Evidence, FaceEvidence
from engine.verify.gallery.snapshot import Snapshot
from engine.verify.rules import rule_of
from tests.assets import shared

CLIPS = ("again", "brother", "help", "book", "eat", "hungry")
OF_ONE_MAN = ("again", "brother", "help")
OF_TWO_PEOPLE = [pair for pair in permutations(CLIPS, 2) if not set(pair) <= set(OF_ONE_MAN)]
SECONDS = (0.0, 0.5, 1.0)


@pytest.fixture(scope="module")
def embedder():
    opened = open_embedder(VerifyConfig(), find_model)
    assert opened is not None
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def seen(embedder):
    """By clip what is fused of three faces half a second apart."""
    detector, _ = open_judged(DetectConfig(), find_model)
    found = {}
    for clip in CLIPS:
        evidence = Evidence(0.88)
        with av.open(str(shared(f"video/asl_{clip}.mkv"))) as container:
            for at, frame in enumerate(container.decode(video=0)):
                if at / 30 in SECONDS:
                    bgr = frame.to_ndarray(format="bgr24")
                    (faces,) = detector.detect([planes_from_bgr(bgr, full_range=False)])
                    (vector,) = embedder.embed([bgr], [faces.landmarks[0]])
                    size = float(np.sqrt(faces.boxes[0, 2:].prod()))
                    evidence = evidence.add(FaceEvidence(vector, 1.0, at / 30, size_px=size))
        found[clip] = evidence.fused()
    detector.close()
    return found


def decided(embedder, enrolled, faces):
    rule = rule_of(embedder, VerifyConfig())
    people = Snapshot.of(["enrolled"], [enrolled.vector])
    return rule.compare(faces, people, 1, VerifyConfig().min_faces)


@pytest.mark.parametrize(("one", "other"), OF_TWO_PEOPLE)
def test_nobody_gets_the_name_of_another_one_in_the_room(embedder, seen, one, other):
    (candidate,), decision, _ = decided(embedder, seen[one], seen[other])
    assert decision != "known"
    assert candidate.false_name_chance > 0.001


@pytest.mark.parametrize(("one", "other"), OF_TWO_PEOPLE)
def test_two_people_in_one_room_are_not_grouped_as_one(embedder, seen, one, other):
    (candidate,), _, _ = decided(embedder, seen[one], seen[other])
    assert candidate.log10_lr < -np.log10(PRIOR)


@pytest.mark.parametrize("other", OF_ONE_MAN[1:])
def test_the_man_of_another_clip_gets_his_own_name(embedder, seen, other):
    (candidate,), decision, basis = decided(embedder, seen["again"], seen[other])
    assert decision == "known"
    assert candidate.log10_lr == basis.log10_lr_bounds[1]


def grouped(embedder, faces):
    likeness = Likeness(embedder.sha256)
    vectors = np.stack([one.vector for one in faces])
    haze = haze_of(np.array([one.size_px for one in faces]))
    least = likeness.resemblance_worth(float(np.log10((1 - PRIOR) / PRIOR)))
    return group_tracks(vectors, likeness.crowding(vectors), haze, least).tolist()


def test_the_six_clips_show_four_people(embedder, seen):
    assert grouped(embedder, [seen[clip] for clip in CLIPS]) == [0, 0, 0, 1, 2, 3]


@pytest.mark.parametrize(("one", "other"), [pair for pair in OF_TWO_PEOPLE if pair[0] < pair[1]])
def test_two_clips_of_two_people_are_not_one_where_nothing_else_is_grouped(embedder, seen, one, other):
    assert grouped(embedder, [seen[one], seen[other]]) == [0, 1]
