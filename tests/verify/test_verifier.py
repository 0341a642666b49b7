from dataclasses import dataclass

import cv2
import msgspec
import numpy as np
import pytest

from engine.config.verify import VerifyConfig
from engine.contracts.findings import Quality
from engine.errors import ConfigError, GalleryError
from engine.models.catalog import find_model
from engine.pictures.colour import bgr_from_planes
from engine.verify import rules
from engine.verify.align import similarity_transform
from engine.verify.embedder import open_embedder
from engine.verify.face_picture import face_in
from engine.verify.gallery.sqlite.gallery import Gallery
from engine.verify.verifier import Verifier
from tests.verify.enrolled import enrol, face, score
from tests.verify.faces import PEOPLE, crop_of, portrait
from tests.verify.measured import measured


@dataclass
class Enlarged:
    bgr: np.ndarray
    scale: int


def test_known_unknown_and_undecided_on_real_faces(gallery):
    """dlib on people of two photographs: one enrolled from another scale of the same picture, one not."""
    embedder = open_embedder(VerifyConfig(), find_model)
    enrol(gallery, embedder, "astronaut", PEOPLE[0])
    verifier = Verifier(embedder, gallery, VerifyConfig())
    crops = [face(PEOPLE[0], 1, 40), face(PEOPLE[0], 1, 32), face(PEOPLE[1], 2, 40), face(PEOPLE[1], 2, 32)]
    scores = score(verifier, crops)
    assert [one.decision for one in scores] == ["known", "known", "unknown", "unknown"]
    assert [one.track_decision_changed for one in scores] == [False, True, False, True]
    assert verifier.track_scores("cam1", 1).decision == "known"
    assert verifier.track_scores("cam1", 2).decision == "unknown"
    bases = [verifier.track_scores("cam1", track).basis for track in (1, 2)]
    assert [basis and (basis.missing, basis.faces_needed) for basis in bases] == [("", 2), ("likeness", 2)]
    assert verifier.track_scores("cam1", 1).candidates[0].cosine_original > 0.95
    score(verifier, [face(PEOPLE[1], 3)])
    assert verifier.track_scores("cam1", 3).decision == "undecided"


def test_the_track_is_the_quality_weighted_sum_of_its_originals(gallery, embedder):
    enrol(gallery, embedder, "ada", PEOPLE[0])
    verifier = Verifier(embedder, gallery, VerifyConfig())
    crops = [face(PEOPLE[0], weight=0.9), face(PEOPLE[0], size_px=24, weight=0.1), face(PEOPLE[0], size_px=30, weight=0.3)]
    scores = score(verifier, crops)
    total = sum(crop.quality.score * one.embedding for crop, one in zip(crops, scores, strict=True))
    track = verifier.track_scores("cam1", 1)
    np.testing.assert_allclose(track.embedding, total / np.linalg.norm(total), atol=1e-6)
    assert track.faces == 3
    assert track.candidates[0].cosine_original == pytest.approx(
        float(track.embedding @ gallery.templates(embedder.sha256)[1][0]), abs=1e-6
    )


def test_an_enhanced_face_is_reported_and_decides_nothing(gallery, embedder):
    """Super-resolution that draws the enrolled person over a stranger: the score says so, the decision does not move."""
    enrol(gallery, embedder, "ada", PEOPLE[0])
    crop = face(PEOPLE[1])
    height, width = crop.planes.y.shape
    forged_face, points = portrait(*PEOPLE[0])
    matrix = similarity_transform(points, crop.landmarks_in_crop(4))
    forged = Enlarged(cv2.warpAffine(forged_face, matrix, (width * 4, height * 4), borderMode=cv2.BORDER_REPLICATE), 4)
    verifier = Verifier(embedder, gallery, VerifyConfig(min_faces=1))
    plain = score(verifier, [crop])[0]
    with_forgery = score(verifier, [msgspec.structs.replace(crop, track_id=2)], [forged])[0]
    assert with_forgery.candidates[0].cosine_enhanced > 0.9
    assert plain.candidates[0].cosine_enhanced is None
    assert with_forgery.decision == plain.decision == "unknown"
    track = verifier.track_scores("cam1", 2)
    assert track.decision == "unknown"
    assert track.candidates[0].cosine_enhanced > 0.9
    np.testing.assert_array_equal(with_forgery.embedding, plain.embedding)


def test_what_was_not_enhanced_is_embedded_once(gallery, embedder):
    enrol(gallery, embedder, "ada", PEOPLE[0])
    crop = face(PEOPLE[0])
    large = Enlarged(np.repeat(np.repeat(bgr_from_planes(crop.planes), 2, 0), 2, 1), 2)
    embedder.batches.clear()
    scores = score(Verifier(embedder, gallery, VerifyConfig()), [crop, crop], [large, None])
    assert embedder.batches == [3]
    assert [one.candidates[0].cosine_enhanced is None for one in scores] == [False, True]
    score(Verifier(embedder, gallery, VerifyConfig(enhanced_scores=False)), [crop], [large])
    assert embedder.batches == [3, 1]


def test_an_enhanced_face_is_embedded_once_there_is_somebody_to_compare_it_with(gallery, embedder):
    crop = face(PEOPLE[0])
    large = Enlarged(np.repeat(np.repeat(bgr_from_planes(crop.planes), 2, 0), 2, 1), 2)
    verifier = Verifier(embedder, gallery, VerifyConfig())
    score(verifier, [crop], [large])
    assert embedder.batches == [1]
    enrol(gallery, embedder, "ada", PEOPLE[0])
    embedder.batches.clear()
    (compared,) = score(verifier, [crop], [large])
    assert embedder.batches == [2]
    assert compared.candidates[0].cosine_enhanced > 0.9


def test_people_of_another_embedder_are_named_and_not_compared(gallery, embedder, caplog):
    enrol(gallery, embedder, "old", PEOPLE[0], embedder_sha256="f" * 64)
    enrol(gallery, embedder, "new", PEOPLE[1])
    verifier = Verifier(embedder, gallery, VerifyConfig(min_faces=1))
    assert "old cannot be recognised by the embedder thumbnail: enrol them again" in verifier.notice
    assert verifier.notice in caplog.text
    candidates = score(verifier, [face(PEOPLE[0])])[0].candidates
    assert [candidate.identity for candidate in candidates] == ["new"]
    gallery.remove("old")
    score(verifier, [face(PEOPLE[0])])
    assert verifier.notice == ""


def test_without_embedder_or_gallery_nothing_is_claimed(gallery, embedder):
    blind = Verifier(None, gallery, VerifyConfig())
    one = score(blind, [face(PEOPLE[0])])[0]
    assert (one.embedding, one.candidates, one.decision) == (None, [], "none")
    assert blind.track_scores("cam1", 1).decision == "none"
    assert blind.track_scores("cam1", 1).basis is None
    alone = Verifier(embedder, None, VerifyConfig())
    one = score(alone, [face(PEOPLE[0])])[0]
    assert one.embedding is not None
    assert (one.decision, alone.track_scores("cam1", 1).faces) == ("none", 1)
    assert score(alone, []) == []


def test_a_forgotten_track_begins_anew_and_streams_do_not_mix(gallery, embedder):
    enrol(gallery, embedder, "ada", PEOPLE[0])
    verifier = Verifier(embedder, gallery, VerifyConfig())
    score(verifier, [face(PEOPLE[0], 1), face(PEOPLE[0], 1), face(PEOPLE[1], 1, stream="cam2")])
    assert verifier.track_scores("cam1", 1).faces == 2
    assert verifier.track_scores("cam2", 1).faces == 1
    verifier.forget("cam1", 1)
    verifier.forget("cam1", 7)
    after = verifier.track_scores("cam1", 1)
    assert (after.faces, after.embedding, after.decision) == (0, None, "undecided")


def test_faces_too_small_to_tell_are_never_unknown(gallery, embedder):
    enrol(gallery, embedder, "ada", PEOPLE[0])
    verifier = Verifier(embedder, gallery, VerifyConfig())
    scores = score(verifier, [face(PEOPLE[1], size_px=18), face(PEOPLE[1], size_px=18)])
    assert {one.decision for one in scores} == {"undecided"}
    assert verifier.track_scores("cam1", 1).decision == "undecided"


def test_only_max_candidates_are_published_but_the_margin_sees_the_second(gallery, embedder):
    enrol(gallery, embedder, "ada", PEOPLE[0])
    enrol(gallery, embedder, "twin", PEOPLE[0])
    verifier = Verifier(embedder, gallery, VerifyConfig(min_faces=1, max_candidates=1))
    one = score(verifier, [face(PEOPLE[0])])[0]
    assert len(one.candidates) == 1
    assert one.decision == "undecided"


def test_without_landmarks_the_face_box_is_taken():
    image, _ = portrait(*PEOPLE[0], 60)
    crop = crop_of(image, None)
    picture = bgr_from_planes(crop.planes)
    cut, landmarks = face_in(crop, picture, 1)
    assert landmarks is None
    assert cut.shape[0] == pytest.approx(picture.shape[0] / 1.8, abs=1.5)
    doubled, _ = face_in(crop, np.repeat(np.repeat(picture, 2, 0), 2, 1), 2)
    assert doubled.shape[0] == pytest.approx(2 * cut.shape[0], abs=2)


def test_thresholds_that_cross_are_a_config_error(gallery, embedder):
    with pytest.raises(ConfigError, match=r"verify.unknown_cosine \(0.95\) must not be above verify.known_cosine \(0.9\)"):
        Verifier(embedder, gallery, VerifyConfig(unknown_cosine=0.95))


def test_vectors_of_another_length_are_refused_before_a_run(gallery, embedder):
    enrol(gallery, embedder, "ada", PEOPLE[0])
    embedder.length += 1
    with pytest.raises(GalleryError, match="holds vectors of"):
        Verifier(embedder, gallery, VerifyConfig())


@pytest.fixture
def chances(monkeypatch):
    """Measured limits for the embedder without weights."""
    monkeypatch.setattr(rules, "open_set_of", lambda sha256: measured(length=64))


def test_the_chance_of_a_false_name_follows_a_gallery_that_grows_and_shrinks(gallery, embedder, chances):
    enrol(gallery, embedder, "ada", PEOPLE[0])
    verifier = Verifier(embedder, gallery, VerifyConfig())
    scores = score(verifier, [face(PEOPLE[0]), face(PEOPLE[0])])
    alone = verifier.track_scores("cam1", 1)
    assert (alone.decision, scores[1].track_decision_changed) == ("known", True)
    with Gallery(gallery.path) as other:
        for number, person in enumerate(PEOPLE[1:]):
            enrol(other, embedder, f"other {number}", person)
        verifier.refresh()
        among = verifier.track_scores("cam1", 1).candidates[0]
        assert among.false_name_chance == pytest.approx(len(PEOPLE) * alone.candidates[0].false_name_chance)
        assert f"with {len(PEOPLE)} pictures enrolled" in verifier.naming()
        for number in range(len(PEOPLE) - 1):
            other.remove(f"other {number}")
    verifier.refresh()
    assert verifier.track_scores("cam1", 1).candidates == alone.candidates
    gallery.remove("ada")
    verifier.refresh()
    empty = verifier.track_scores("cam1", 1)
    assert (empty.decision, empty.candidates) == ("none", [])


def test_a_track_of_mixed_sizes_is_judged_by_the_size_of_its_better_faces(gallery, embedder, chances):
    """Limits begin at 16 px: tiny faces alone have no name; one good face among them gives the vector and the size."""
    enrol(gallery, embedder, "ada", PEOPLE[0])
    verifier = Verifier(embedder, gallery, VerifyConfig())
    tiny = [msgspec.structs.replace(face(PEOPLE[0]), quality=Quality(10.0, 0.8, 0.9, 0.01)) for _ in range(3)]
    score(verifier, tiny)
    assert verifier.track_scores("cam1", 1).decision == "undecided"
    score(verifier, [face(PEOPLE[0])])
    assert verifier.track_scores("cam1", 1).decision == "known"


def test_a_rate_that_was_not_measured_ends_a_run_before_it_begins(gallery, embedder, chances):
    with pytest.raises(ConfigError, match=r"verify.false_name_rate \(1e-06\) is below what"):
        Verifier(embedder, gallery, VerifyConfig(false_name_rate=1e-6))


def test_what_was_marked_as_not_a_person_gets_the_name_no_more(gallery, embedder):
    """PEOPLE[1] is taken for "ada" until somebody says that it is not; ada herself is still known."""
    enrol(gallery, embedder, "ada", PEOPLE[0])
    config = VerifyConfig(known_cosine=-0.9, unknown_cosine=-0.95, min_faces=1)
    verifier = Verifier(embedder, gallery, config)
    ada, other = face(PEOPLE[0], 1), face(PEOPLE[1], 2)
    assert [one.decision for one in score(verifier, [ada, other])] == ["known", "known"]
    vector = verifier.track_scores("cam1", 2).embedding
    gallery.keep_negatives("ada", embedder.sha256, "run/cam1/2", [vector])
    scores = score(verifier, [ada, other])
    assert [one.decision for one in scores] == ["known", "unknown"]
    assert [one.candidates for one in scores][1] == []
    assert verifier.track_scores("cam1", 2).decision == "unknown"
    enrol(gallery, embedder, "bob", PEOPLE[1])
    assert [one.candidates[0].identity for one in score(verifier, [ada, other])] == ["ada", "bob"]


def test_a_second_person_in_a_track_is_said_once_and_takes_no_name_away(gallery, embedder):
    """The first stays for three moments, the second for two: the name is the first one's, and the news came once."""
    enrol(gallery, embedder, "ada", PEOPLE[0])
    verifier = Verifier(embedder, gallery, VerifyConfig())
    scores = score(verifier, [*(face(PEOPLE[0]) for _ in range(3)), *(face(PEOPLE[1]) for _ in range(2))])
    assert [one.track_decision_changed for one in scores] == [False, True, False, False, False]
    track = verifier.track_scores("cam1", 1)
    assert (track.decision, track.candidates[0].identity) == ("known", "ada")
    assert track.basis is not None
    assert (track.basis.persons, track.basis.moments, track.basis.faces) == (2, 3, 3)
    scores = score(verifier, [face(PEOPLE[1]) for _ in range(3)])
    assert [one.track_decision_changed for one in scores].count(True) == 1  # by now the other one was seen more
    assert verifier.track_scores("cam1", 1).decision == "unknown"
