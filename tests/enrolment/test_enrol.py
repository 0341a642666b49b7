import json
import re
import sqlite3

import cv2
import numpy as np
import pytest
from PIL import Image

from engine.enrolment.enrol import enrol_pictures
from engine.enrolment.judge import EnrolLimits
from engine.errors import GalleryError, InferenceError, UsageError
from engine.verify.gallery.sqlite.gallery import Gallery
from tests.crop.photographs import FOUND, PROFILE, picture
from tests.enrolment.blobs import BlobDetector, draw, empty
from tests.verify.faces import ThumbnailEmbedder, portrait

POOR = {"min_sharpness": 0.0, "min_score": 0.0}


def enrol(paths, detector, gallery, name="ada", **limits):
    return enrol_pictures(name, paths, detector, ThumbnailEmbedder(), gallery, EnrolLimits(**limits) if limits else None)


def test_pictures_that_qualify_are_enrolled_and_recognised(write, detector, gallery):
    whole = write("astronaut.png", picture("astronaut"))
    tight = write("tight.jpg", portrait("astronaut", 0, margin=0.1)[0])
    results = enrol([whole, tight], detector, gallery)
    assert [(result.outcome, result.reason) for result in results] == [("enrolled", "")] * 2
    width, height = FOUND["astronaut"][0][2:4]
    assert results[0].quality.size_px == pytest.approx((width * height) ** 0.5, rel=0.35)  # detectors draw boxes differently
    names, matrix = gallery.templates(ThumbnailEmbedder.sha256)
    assert names == ["ada", "ada"]
    image, landmarks = portrait("astronaut", 0)
    probe = ThumbnailEmbedder().embed([image], [landmarks])[0]
    stranger = ThumbnailEmbedder().embed(*([part] for part in portrait("t1", 0)))[0]
    assert float((matrix @ probe).max()) > 0.8  # the most typical picture is enrolled first
    assert (matrix @ probe > matrix @ stranger + 0.2).all()
    assert gallery.list()[0].best_quality == pytest.approx(max(result.quality.score for result in results))


def test_a_large_photograph_is_searched_reduced_and_embedded_in_full(write, detector, gallery):
    image, _ = portrait("astronaut", 0, size_px=900, margin=0.9)
    result = enrol([write("large.jpg", image)], detector, gallery)[0]
    assert result.outcome == "enrolled"
    assert result.quality.size_px == pytest.approx(900, rel=0.35)
    landmarks = portrait("astronaut", 0, size_px=900, margin=0.9)[1]
    probe = ThumbnailEmbedder().embed([image], [landmarks])[0]
    assert float(gallery.templates(ThumbnailEmbedder.sha256)[1][0] @ probe) > 0.85


def test_each_refusal_says_which_picture_why_and_what_to_do(write, tmp_path, detector, gallery):
    noise = np.random.default_rng(0).integers(100, 140, (200, 200, 3), np.uint8)
    text, empty = tmp_path / "text.jpg", tmp_path / "empty.jpg"
    text.write_text("not a picture")
    empty.touch()
    cases = {
        tmp_path / "missing.jpg": r"missing.jpg cannot be read \(No such file or directory\): check the path",
        tmp_path: "is a folder, not a picture",
        text: "text.jpg is not a picture that can be read: give a JPEG, PNG",
        empty: "empty.jpg is not a picture",
        write("noise.png", noise): "noise.png shows no face that could be found: give a clear frontal picture",
        write("group.jpg", picture("t1")): r"group.jpg shows [4-6] faces: cut it to the person you mean",
    }
    good = write("good.jpg", picture("astronaut"))
    results = enrol([*cases, good], detector, gallery)
    for (path, expected), result in zip(cases.items(), results, strict=False):
        assert result.outcome == "refused"
        assert result.path == path
        assert re.search(expected, result.reason), result.reason
    assert results[-1].outcome == "enrolled"
    assert gallery.list()[0].pictures == 1


def test_small_blurred_and_turned_faces_are_refused(write, detector, gallery):
    image = picture("astronaut")
    results = enrol([write("face.jpg", image)], detector, gallery, min_size_px=150)
    assert "face.jpg is too small" in results[0].reason
    assert "needed 150): give a larger picture" in results[0].reason
    assert results[0].quality is not None
    blurred = cv2.GaussianBlur(portrait("astronaut", 0, margin=0.5)[0], (0, 0), 4)
    results = enrol([write("blurred.jpg", blurred)], detector, gallery, min_sharpness=0.6)
    assert "blurred.jpg is too blurred (sharpness" in results[0].reason
    results = enrol([write("turned.jpg", image)], detector, gallery, min_frontal=1.0)
    assert "turned.jpg looks too far to the side (frontal" in results[0].reason
    assert gallery.version() == 0


@pytest.mark.parametrize("detector", ["yunet"], indirect=True)
def test_a_profile_is_refused_by_the_default_limits(write, detector, gallery):
    result = enrol([write("profile.png", portrait("t1", PROFILE)[0])], detector, gallery)[0]
    assert result.outcome == "refused"
    assert "looks too far to the side" in result.reason


def test_a_picture_is_added_once_and_to_one_person(write, detector, gallery):
    path = write("face.png", picture("astronaut"))
    again = path.with_name("copy.png")
    again.write_bytes(path.read_bytes())
    assert [result.outcome for result in enrol([path, again, path], detector, gallery)] == [
        "enrolled",
        "duplicate",
        "duplicate",
    ]
    other = enrol([path], detector, gallery, name="bob")[0]
    assert other.outcome == "refused"
    assert re.search(
        r"is enrolled for ada: if it shows bob, run `facestream gallery remove ada --picture \w{8}` first", other.reason
    )
    assert [(person.name, person.pictures) for person in gallery.list()] == [("ada", 1)]
    gallery.remove("ada")
    assert enrol([path], detector, gallery, name="bob")[0].outcome == "enrolled"


@pytest.mark.parametrize(
    ("first", "outcome", "says"),
    [("ada", "duplicate", "already"), ("bob", "refused", "for bob: if it shows ada, run `facestream gallery remove bob")],
)
def test_another_process_may_enrol_the_same_picture_meanwhile(write, gallery, first, outcome, says):
    paths = [write("one.png", draw(empty(), 200, 100, 100)), write("two.png", draw(empty(), 200, 100, 110))]

    class Slow(ThumbnailEmbedder):
        def embed(self, pictures, landmarks):
            with Gallery(gallery.path) as other:
                if not other.list():
                    enrol_pictures(first, paths[:1], BlobDetector(), ThumbnailEmbedder(), other, EnrolLimits(**POOR))
            return super().embed(pictures, landmarks)

    results = enrol_pictures("ada", paths, BlobDetector(), Slow(), gallery, EnrolLimits(**POOR), force=True)
    assert [result.outcome for result in results] == [outcome, "enrolled"]
    assert says in results[0].reason


def test_a_gallery_that_cannot_be_written_ends_the_enrolment(write, gallery):
    path = write("one.png", draw(empty(), 200, 100, 100))
    with Gallery(gallery.path, read_only=True) as closed, pytest.raises(GalleryError, match="readonly"):
        enrol_pictures("ada", [path], BlobDetector(), ThumbnailEmbedder(), closed, EnrolLimits(**POOR))


def test_a_vector_of_which_nothing_is_recorded_is_made_again(write, detector, gallery):
    path = write("face.png", picture("astronaut"))
    enrol([path], detector, gallery)
    database = sqlite3.connect(gallery.path)
    with database:
        database.execute("UPDATE pictures SET runtime = ''")
    database.close()
    assert gallery.list()[0].unrecorded == 1
    assert [result.outcome for result in enrol([path, path], detector, gallery)] == ["enrolled", "duplicate"]
    assert gallery.list()[0].unrecorded == 0
    assert gallery.export(path.with_name("people.jsonl")) == 1
    assert json.loads(path.with_name("people.jsonl").read_text())["runtime"] == ThumbnailEmbedder.runtime


def test_without_landmarks_the_face_box_is_embedded(write, gallery):
    result = enrol(
        [write("face.png", draw(empty(), 200, 100, 120))], BlobDetector(landmarks=False), gallery, min_frontal=0.5, **POOR
    )[0]
    assert result.outcome == "enrolled"
    probe = ThumbnailEmbedder().embed([draw(empty(120, 120), 0, 0, 120)], [None])[0]
    assert float(gallery.templates(ThumbnailEmbedder.sha256)[1][0] @ probe) > 0.98


@pytest.mark.parametrize("name", ["", "  ", "a\nb"])
def test_a_name_must_be_readable(name, gallery, tmp_path):
    with pytest.raises(UsageError, match="cannot be the name of a person"):
        enrol([tmp_path / "face.jpg"], BlobDetector(), gallery, name=name)


def test_no_pictures_is_wrong_usage(gallery):
    with pytest.raises(UsageError, match="no picture to enrol for ada"):
        enrol([], BlobDetector(), gallery)


def test_what_was_done_to_a_picture_is_said(write, gallery):
    path = write("face.png", np.rot90(draw(empty(), 200, 100, 120), 2))
    result = enrol([path], BlobDetector(), gallery, **POOR)[0]
    assert (result.outcome, result.reason, result.turned_degrees) == ("enrolled", f"{path}: it was turned by 180°", 180)
    pages = path.with_suffix(".tif")
    upright = Image.fromarray(draw(empty(), 200, 100, 121)[:, :, ::-1])
    upright.save(pages, save_all=True, append_images=[upright.rotate(180)])
    result = enrol([pages], BlobDetector(), gallery, **POOR)[0]
    assert result.outcome == "enrolled"
    assert result.reason.startswith(
        f"{pages}: the first of the file's 2 pictures was taken; it is as much like another picture"
    )


def test_what_a_file_has_and_its_picture_has_not_is_said_whatever_comes_of_it(write, gallery):
    def clear(pixels):
        return np.dstack([pixels, np.full(pixels.shape[:2], 200, np.uint8)]).astype(np.uint16) * 257

    said = "it has more than 8 bits per colour, of which 8 were kept; transparent parts are shown white"
    face, nobody = write("face.png", clear(draw(empty(), 200, 100, 122))), write("nobody.png", clear(empty()))
    enrolled, refused = enrol([face, nobody], BlobDetector(), gallery, **POOR)
    assert (enrolled.outcome, enrolled.reason) == ("enrolled", f"{face}: {said}")
    assert (refused.outcome, refused.reason[-len(said) - 2 :]) == ("refused", f"; {said}")


def test_what_was_done_to_a_picture_is_said_of_one_that_is_set_apart_too(write, gallery):
    strict = EnrolLimits(**POOR, min_detail=1e9)
    path = write("face.png", np.rot90(draw(empty(), 200, 100, 120), 2))
    [result] = enrol_pictures("ada", [path], BlobDetector(), ThumbnailEmbedder(), gallery, strict)
    assert result.outcome == "quarantined"
    doubt = f"the face in {path} (it was turned by 180°) {result.doubt}: it is set apart, and nobody is compared"
    assert doubt in result.reason
    digest = gallery.quarantined()[0].picture_sha256
    gallery.drop(digest)
    assert enrol([path], BlobDetector(), gallery, **POOR)[0].outcome == "enrolled"
    gallery.tables.execute("UPDATE pictures SET runtime = ''")  # as of an earlier version
    before = gallery.snapshot(ThumbnailEmbedder.sha256).gallery
    [result] = enrol_pictures("ada", [path], BlobDetector(), ThumbnailEmbedder(), gallery, strict)
    assert "it is set apart, and its vector of an earlier version stays enrolled; if it is ada" in result.sentence
    assert gallery.snapshot(ThumbnailEmbedder.sha256).gallery == before


class ByRed(ThumbnailEmbedder):
    """The strength of red is the angle of the vector: 255 is 0 degrees, 155 is 100."""

    def embed(self, pictures, landmarks):
        angles = np.radians([255.0 - float(picture[:, :, 2].max()) for picture in pictures])
        return np.pad(np.stack([np.cos(angles), np.sin(angles)], axis=1), ((0, 0), (0, 62))).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "red", "doubt"),
    [
        ("cy", 250, r"looks like ada \(cosine 0.99[67]\)"),
        ("bob", 250, r"looks more like ada \(cosine 0.99[67]\) than like the other pictures of bob \(-?0\.\d+\)"),
        ("ada", 190, r"looks unlike the other pictures of ada \(cosine 0.4\d\d, below 0.500\)"),
    ],
)
def test_a_picture_that_does_not_go_with_the_gallery_is_put_in_question(write, gallery, name, red, doubt):
    def enrol_one(whose, strength, force=False):
        path = write(f"{whose}-{strength}.png", draw(empty(), 200, 100, 120, strength))
        limits = EnrolLimits(min_sharpness=0, min_score=0)
        return enrol_pictures(whose, [path], BlobDetector(), ByRed(), gallery, limits, force)[0]

    assert enrol_one("ada", 255).outcome == "enrolled"
    assert enrol_one("bob", 165).outcome == "enrolled"
    result = enrol_one(name, red)
    assert result.outcome == "quarantined"
    then = rf"`facestream gallery release [0-9a-f]{{8}} --name {name}`$"
    apart = f"it is set apart, and nobody is compared with it; if it is {name}, {then}"
    assert re.search(rf"the face in .*{name}-{red}.png {doubt}: {apart}", result.sentence), result.sentence
    assert "facestream" not in result.reason, "what another user interface shows beside its own button"
    assert gallery.version() == 2
    assert [(one.identity, one.doubt) for one in gallery.quarantined()] == [(name, result.doubt)]
    forced = enrol_one(name, red, force=True)
    assert forced.outcome == "enrolled"
    assert "it was enrolled although the face looks" in forced.reason
    assert gallery.quarantined() == []
    assert {person.name: person.in_doubt for person in gallery.list()}[name] == 1
    gallery.export(gallery.path.with_suffix(".jsonl"))
    rows = [json.loads(line) for line in gallery.path.with_suffix(".jsonl").read_text().splitlines()]
    assert [row["doubt"] for row in rows if row["doubt"]] == [forced.doubt]


def test_force_does_not_bring_in_what_is_no_portrait(write, gallery):
    pictures = [write("nobody.png", empty()), write("group.png", draw(draw(empty(), 50, 50, 120), 300, 50, 120))]
    results = enrol_pictures("ada", pictures, BlobDetector(), ThumbnailEmbedder(), gallery, force=True)
    assert [result.outcome for result in results] == ["refused", "refused"]
    assert "shows 2 faces" in results[1].reason


def test_a_picture_on_which_a_model_fails_costs_no_other(write, gallery):
    class Failing(ThumbnailEmbedder):
        def embed(self, pictures, landmarks):
            if pictures[0][:, :, 2].max() < 200:
                raise InferenceError("dlib failed on chip (1, 3, 150, 150): no memory")
            return super().embed(pictures, landmarks)

    paths = [write(f"{red}.png", draw(empty(), 200, 100, 120, red)) for red in (180, 255)]
    results = enrol_pictures("ada", paths, BlobDetector(), Failing(), gallery, EnrolLimits(min_sharpness=0, min_score=0))
    assert [result.outcome for result in results] == ["refused", "enrolled"]
    assert results[0].reason == "dlib failed on chip (1, 3, 150, 150): no memory"
