"""Single pictures: set apart, released, dropped, removed."""

from __future__ import annotations

import base64

import pytest

from engine.errors import GalleryError, NameTakenError
from engine.privacy.removal import remove_picture
from engine.verify.gallery import pictures as rows
from engine.verify.gallery.opening import open_gallery
from engine.verify.gallery.sqlite.gallery import Gallery
from engine.verify.gallery.stored import StoredGallery
from tests.verify.stores import holds
from tests.verify.vectors import RUNTIME, SHA, add, vector


def set_apart(
    gallery: StoredGallery, name: str, seed: int, doubt: str = "looks like ada (cosine 0.9)", sha256: str = SHA
) -> str:
    digest = f"{seed:08d}{'c' * 56}"
    gallery.add(
        name, vector(seed), embedder="dlib", embedder_sha256=sha256, runtime=RUNTIME, source_name=f"{name}.jpg",
        picture_sha256=digest, quality=0.5, doubt=doubt, apart=True,
        portrait=b"\xff\xd8" + name.encode(),
    )  # fmt: skip
    return digest


def test_what_is_set_apart_is_compared_with_nobody_until_it_is_released(each_gallery: StoredGallery) -> None:
    gallery = each_gallery
    add(gallery, "ada", 1)
    before = gallery.snapshot(SHA)
    digest = set_apart(gallery, "bob", 7)
    assert gallery.snapshot(SHA).gallery == before.gallery
    assert [person.name for person in gallery.list()] == ["ada"]
    (one,) = gallery.quarantined()
    assert gallery.portraits() == {("bob", digest): b"\xff\xd8bob"}
    assert (one.identity, one.picture_sha256, one.doubt) == ("bob", digest, "looks like ada (cosine 0.9)")
    with pytest.raises(GalleryError, match="no picture in quarantine begins with 'ffff': see `facestream gallery quarantine`"):
        gallery.release("ffff")
    set_apart(gallery, "cy", 8)
    with pytest.raises(GalleryError, match="several pictures in quarantine begin with '00000'"):
        gallery.drop("00000")
    assert gallery.release(digest[:8]).identity == "bob"
    assert gallery.snapshot(SHA).names == ["ada", "bob"]
    assert gallery.version() == before.version + 1
    assert [one.doubt for one in gallery.pictures("bob")] == ["looks like ada (cosine 0.9)"]
    assert gallery.drop("00000008").identity == "cy"
    assert (gallery.quarantined(), gallery.portraits()) == ([], {})
    assert not holds(gallery, vector(8))


def test_what_is_set_apart_goes_with_the_person_and_forgets_who_others_looked_like(each_gallery: StoredGallery) -> None:
    gallery = each_gallery
    add(gallery, "ada", 1)
    set_apart(gallery, "ada", 6, "looks unlike the other pictures of ada (cosine 0.1, below 0.2)")
    set_apart(gallery, "bob", 7)
    gallery.rename("bob", "Bob")
    assert gallery.remove("ada").total == 2
    assert [(one.identity, one.doubt) for one in gallery.quarantined()] == [("Bob", "looks like somebody removed (cosine 0.9)")]
    set_apart(gallery, "Bob", 7)
    add(gallery, "ada", 2)
    assert len(gallery.quarantined()) == 1, "the same picture once"


def test_one_picture_goes_at_once_and_the_receipt_says_between_which_versions(each_gallery: StoredGallery) -> None:
    gallery = each_gallery
    add(gallery, "ada", 1)
    add(gallery, "ada", 22)
    digest = gallery.pictures("ada")[1].picture_sha256
    with pytest.raises(GalleryError, match="several pictures of ada begin with '0000'"):
        remove_picture(gallery, "ada", "0000")
    with open_gallery(gallery.where, read_only=True) as reader:
        before = reader.snapshot(SHA)
        receipt = remove_picture(gallery, "ada", digest)
        after = reader.snapshot(SHA)
        assert after.matrix.tolist() == [vector(1).tolist()]
    (gone,) = receipt.pictures
    assert (gone.picture_sha256, gone.before, gone.after) == (digest, before.gallery, after.gallery)
    assert receipt.person_is_left
    assert not holds(gallery, vector(22))
    gallery.keep_negatives("ada", SHA, "run/door/1", [vector(5)])
    assert not remove_picture(gallery, "ada", f"{1:064d}").person_is_left
    assert (gallery.list(), gallery.negatives()) == ([], {}), "with the last picture goes the rest"


def put(gallery: StoredGallery, name: str, runtime: str, *, apart: bool, seed: int = 1) -> None:
    gallery.add(
        name, vector(seed), embedder="dlib", embedder_sha256=SHA, runtime=runtime, source_name="a.jpg", picture_sha256="a" * 64,
        quality=0.5, doubt="is blurred" if apart else "", apart=apart,
    )  # fmt: skip


def test_a_picture_that_is_enrolled_anew_never_lies_in_quarantine_alone(each_gallery: StoredGallery) -> None:
    gallery = each_gallery
    put(gallery, "ann", "", apart=False)
    before = gallery.snapshot(SHA).gallery
    for _ in range(2):
        put(gallery, "ann", RUNTIME, apart=True, seed=2)
        assert gallery.snapshot(SHA).gallery == before
        assert len(gallery.quarantined()) == 1
    gallery.release("aaaa")
    after = gallery.snapshot(SHA)
    assert (after.matrix.tolist(), after.version) == ([vector(2).tolist()], 2), "the new vector took the place of the old one"
    for name in ("ann", "bob"):
        with pytest.raises(
            GalleryError, match=r"is enrolled for ann: take it out there first with .* remove ann --picture aaaa"
        ):
            put(gallery, name, RUNTIME, apart=True, seed=3)
    assert gallery.snapshot(SHA).gallery == after.gallery
    assert gallery.quarantined() == []


def test_a_picture_that_was_set_apart_for_several_people_is_released_or_dropped_for_one(each_gallery: StoredGallery) -> None:
    gallery = each_gallery
    digest = set_apart(gallery, "ann", 7)
    set_apart(gallery, "ann", 7, sha256="b" * 64)
    set_apart(gallery, "bob", 7)
    set_apart(gallery, "cy", 7, sha256="b" * 64)
    for choose in (gallery.release, gallery.drop):
        with pytest.raises(GalleryError, match="is of several people, 'ann', 'bob', 'cy': say whose with --name"):
            choose(digest[:8])
    assert gallery.release(digest, "ann").identity == "ann"
    assert [(person.name, person.pictures) for person in gallery.list()] == [("ann", 2)]
    for name in ("bob", "cy"):
        with pytest.raises(GalleryError, match="is enrolled for ann"):
            gallery.release(digest, name)
    assert gallery.drop(digest, "cy").identity == "cy"
    assert [one.identity for one in gallery.quarantined()] == ["bob"]
    gallery.remove("ann")
    put_again = set_apart(gallery, "dee", 7)
    with pytest.raises(NameTakenError, match="bob is in the gallery already, with 1 picture set apart: if dee is"):
        gallery.rename("dee", " bob")
    assert gallery.rename("nobody", "bob").total == 0
    assert gallery.rename("dee", "bob", join=True).total == 1, "both were set apart, and are one now"
    assert gallery.release(put_again).identity == "bob"


def test_a_table_in_which_a_picture_was_set_apart_for_one_person_alone_is_made_anew(gallery: Gallery) -> None:
    digest = set_apart(gallery, "ann", 7)
    columns = ", ".join(rows.COLUMNS)
    gallery.tables.execute(f"CREATE TABLE old AS SELECT id, {columns} FROM quarantined")
    gallery.tables.execute("DROP TABLE quarantined")
    gallery.tables.execute(
        f"CREATE TABLE quarantined (id INTEGER PRIMARY KEY, {columns}, UNIQUE (picture_sha256, embedder_sha256))"
    )
    gallery.tables.execute("INSERT INTO quarantined SELECT * FROM old")
    before = gallery.quarantined()
    with open_gallery(gallery.where, read_only=True) as reader:
        assert (reader.quarantined(), reader.portraits()) == (before, {}), "earlier versions kept none"
    set_apart(gallery, "bob", 7)
    assert [(one.identity, one.picture_sha256) for one in gallery.quarantined()] == [("ann", digest), ("bob", digest)]
    assert gallery.quarantined("ann") == before
    assert gallery.portraits() == {("bob", digest): b"\xff\xd8bob"}


def test_of_a_picture_that_is_enrolled_on_purpose_the_small_one_is_gone_from_the_disk(gallery: Gallery) -> None:
    digest = set_apart(gallery, "ann", 7)
    portrait = base64.b64encode(gallery.portraits()["ann", digest])
    files = [gallery.path, gallery.path.with_name(f"{gallery.path.name}-wal")]
    assert any(portrait in file.read_bytes() for file in files)
    gallery.add(
        "ann", vector(7), embedder="dlib", embedder_sha256=SHA, runtime=RUNTIME, source_name="ann.jpg", picture_sha256=digest,
        quality=0.5,
    )  # fmt: skip
    assert not any(portrait in file.read_bytes() for file in files)


def test_a_picture_that_is_taken_out_is_not_kept_as_one_that_was_set_apart(each_gallery: StoredGallery) -> None:
    """It was set apart for another embedder than the one that it is enrolled with."""
    gallery = each_gallery
    digest = set_apart(gallery, "ann", 7, sha256="b" * 64)
    other = set_apart(gallery, "ann", 8, sha256="b" * 64)
    gallery.add(
        "ann", vector(7), embedder="dlib", embedder_sha256=SHA, runtime=RUNTIME, source_name="ann.jpg", picture_sha256=digest,
        quality=0.5,
    )  # fmt: skip
    assert remove_picture(gallery, "ann", digest).person_is_left
    assert [one.picture_sha256 for one in gallery.quarantined()] == [other]
    assert list(gallery.portraits()) == [("ann", other)]


def test_a_table_that_keeps_no_small_pictures_is_brought_forward(gallery: Gallery) -> None:
    digest = set_apart(gallery, "ann", 7)
    gallery.tables.execute("ALTER TABLE quarantined DROP COLUMN portrait")
    with open_gallery(gallery.where, read_only=True) as reader:
        assert ([one.identity for one in reader.quarantined()], reader.portraits()) == (["ann"], {})
    with open_gallery(gallery.where) as writer:
        assert ([one.identity for one in writer.quarantined()], writer.portraits()) == (["ann"], {})
    set_apart(gallery, "bob", 7)
    assert gallery.portraits() == {("bob", digest): b"\xff\xd8bob"}
