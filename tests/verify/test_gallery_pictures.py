"""Single pictures: set apart, released, dropped, removed."""

from __future__ import annotations

import pytest

from engine.errors import GalleryError
from engine.privacy.removal import remove_picture
from engine.verify.gallery import Gallery
from tests.verify.vectors import RUNTIME, SHA, add, vector


def set_apart(gallery: Gallery, name: str, seed: int, doubt: str = "looks like ada (cosine 0.9)") -> str:
    digest = f"{seed:08d}{'c' * 56}"
    gallery.add(
        name, vector(seed), embedder="dlib", embedder_sha256=SHA, runtime=RUNTIME, source_name=f"{name}.jpg",
        picture_sha256=digest, quality=0.5, doubt=doubt, apart=True,
    )  # fmt: skip
    return digest


def test_what_is_set_apart_is_compared_with_nobody_until_it_is_released(gallery: Gallery) -> None:
    add(gallery, "ada", 1)
    before = gallery.snapshot(SHA)
    digest = set_apart(gallery, "bob", 7)
    assert gallery.snapshot(SHA).gallery == before.gallery
    assert [person.name for person in gallery.list()] == ["ada"]
    (one,) = gallery.quarantined()
    assert (one.identity, one.picture_sha256, one.doubt) == ("bob", digest, "looks like ada (cosine 0.9)")
    with pytest.raises(GalleryError, match="no picture in quarantine begins with 'ffff': give more of what the list shows"):
        gallery.release("ffff")
    set_apart(gallery, "cy", 8)
    with pytest.raises(GalleryError, match="several pictures in quarantine begin with '00000'"):
        gallery.drop("00000")
    assert gallery.release(digest[:8]).identity == "bob"
    assert gallery.snapshot(SHA).names == ["ada", "bob"]
    assert gallery.version() == before.version + 1
    assert [one.doubt for one in gallery.pictures("bob")] == ["looks like ada (cosine 0.9)"]
    assert gallery.drop("00000008").identity == "cy"
    assert gallery.quarantined() == []
    assert vector(8).tobytes() not in gallery.path.read_bytes()


def test_what_is_set_apart_goes_with_the_person_and_forgets_who_others_looked_like(gallery: Gallery) -> None:
    add(gallery, "ada", 1)
    set_apart(gallery, "ada", 6, "looks unlike the other pictures of ada (cosine 0.1, below 0.2)")
    set_apart(gallery, "bob", 7)
    gallery.rename("bob", "Bob")
    assert gallery.remove("ada") == 2
    assert [(one.identity, one.doubt) for one in gallery.quarantined()] == [("Bob", "looks like somebody removed (cosine 0.9)")]
    set_apart(gallery, "Bob", 7)
    add(gallery, "ada", 2)
    assert len(gallery.quarantined()) == 1, "the same picture once"


def test_one_picture_goes_at_once_and_the_receipt_says_between_which_versions(gallery: Gallery) -> None:
    add(gallery, "ada", 1)
    add(gallery, "ada", 22)
    digest = gallery.pictures("ada")[1].picture_sha256
    with pytest.raises(GalleryError, match="several pictures of ada begin with '0000'"):
        remove_picture(gallery, "ada", "0000")
    with Gallery(gallery.path, read_only=True) as reader:
        before = reader.snapshot(SHA)
        receipt = remove_picture(gallery, "ada", digest)
        after = reader.snapshot(SHA)
        assert after.matrix.tolist() == [vector(1).tolist()]
    (gone,) = receipt.pictures
    assert (gone.picture_sha256, gone.before, gone.after) == (digest, before.gallery, after.gallery)
    assert receipt.person_is_left
    assert vector(22).tobytes() not in gallery.path.read_bytes()
    gallery.keep_negatives("ada", SHA, "run/door/1", [vector(5)])
    assert not remove_picture(gallery, "ada", f"{1:064d}").person_is_left
    assert (gallery.list(), gallery.negatives()) == ([], {}), "with the last picture goes the rest"
