"""What is said of a picture names people by the name that they have, and nobody who is gone."""

import pytest

from engine.verify.gallery.doubts import JOINED, SOMEBODY_REMOVED, rename_in_doubts, renamed_in, whom_it_is_like
from engine.verify.gallery.sqlite.file import GalleryFile
from engine.verify.gallery.sqlite.gallery import Gallery
from tests.privacy.output import enrol

MORE = "looks more like {} (cosine 0.700) than like the other pictures of {} (-0.5)"


@pytest.mark.parametrize(
    ("doubt", "left"),
    [
        ("looks like Ann (cosine 0.700)", "looks like X (cosine 0.700)"),
        (MORE.format("Ann", "Bo"), MORE.format("X", "Bo")),
        (MORE.format("Bo", "Ann"), MORE.format("Bo", "X")),
        (MORE.format("Ann", "Ann"), MORE.format("X", "X")),
        ("looks unlike the other pictures of Ann (cosine 0.1, below 0.2)",
         "looks unlike the other pictures of X (cosine 0.1, below 0.2)"),
        *((f"looks like {name} (cosine 0.700)",) * 2 for name in ("Ann Lee", "Joann", "Ann (aunt)", "pictures of Ann")),
        (MORE.format("Ann (aunt)", "Joann"),) * 2,
        ("is blurred or was enlarged: Ann",) * 2,
    ],
)  # fmt: skip
def test_a_person_has_another_name_in_what_is_said_of_pictures(doubt, left):
    assert renamed_in(doubt, "A\u200bnn", "X") == left


def test_a_name_goes_from_what_is_said_of_other_peoples_pictures(tmp_path):
    file = GalleryFile(enrol(tmp_path / "g.sqlite", "Bo", doubt="looks like Ann (cosine 0.700)"), read_only=False)
    rename_in_doubts(file, "A\u200bnn")
    assert file.rows("SELECT doubt FROM pictures") == [(f"looks like {SOMEBODY_REMOVED} (cosine 0.700)",)]
    file.close()


def test_who_was_renamed_and_then_removed_stands_in_no_doubt(tmp_path):
    with Gallery(enrol(tmp_path / "g.sqlite", "Ann", "Bo", "Cy", doubt=MORE.format("Ann", "Bo"))) as gallery:
        gallery.rename("Ann", "Dee")
        gallery.rename("Bo", "Eve")
        others = [one.doubt for one in gallery.pictures() if one.identity != "Dee"]
        assert others == [MORE.format("Dee", "Eve")] * 2
        assert gallery.rename("Nobody", "Fay").total == 0
        gallery.remove("Dee")
        assert {one.doubt for one in gallery.pictures()} == {MORE.format(SOMEBODY_REMOVED, "Eve")}


def test_no_picture_is_said_to_look_like_the_person_whose_it_is_once_both_are_joined(tmp_path):
    place = enrol(tmp_path / "g.sqlite", "Ann", doubt="is blurred")
    enrol(place, "Bo", doubt=MORE.format("Ann", "Bo"))
    with Gallery(enrol(place, "Carl", doubt="looks like Ann (cosine 0.7)")) as gallery:
        gallery.rename("Bo", "Ann", join=True)
        assert [one.doubt for one in gallery.pictures()] == ["is blurred", JOINED, "looks like Ann (cosine 0.7)"]
        gallery.rename("Ann", "Carl", join=True)
        assert sorted(one.doubt for one in gallery.pictures("Carl")) == ["is blurred", JOINED, JOINED]


def test_whom_a_picture_is_like():
    assert whom_it_is_like("looks like Ann (aunt) (cosine 0.7)") == "Ann (aunt)"
    assert whom_it_is_like("looks like unlike (cosine 0.7)") == "unlike"
    assert whom_it_is_like(MORE.format("Ann", "Bo")) == "Ann"
    for doubt in ("looks unlike the other pictures of Ann (cosine 0.1)", "is blurred or was enlarged", ""):
        assert whom_it_is_like(doubt) == ""
