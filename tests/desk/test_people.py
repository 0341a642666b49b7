from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.archive.chain import CHAIN
from engine.archive.corrections import TrackRef, read_corrections
from engine.archive.pieces import CORRECTIONS
from engine.desk.corrected import Desk, only_grouped
from engine.desk.people import people_of
from engine.desk.people_page import write_people
from engine.desk.selection import choose_results, find_track
from engine.desk.stored import read_result
from engine.errors import FacestreamError, PublishError, UsageError
from engine.exhibit.verify import verify as verify_run
from tests.desk.results import write_result


@pytest.fixture
def results(tmp_path: Path):
    """Two cameras: two people are seen by both, one is named by the gallery, one is seen once."""
    one = write_result(tmp_path / "one", [("ann", "", 0), ("bea", "", 10), ("cid", "Cid", 20)])
    two = write_result(tmp_path / "two", [("bea", "", 0), ("ann", "", 10), ("dan", "", 20), ("cid", "", 30)], "gate", "run2")
    return [one, two]


def found_in(directories):
    chosen = choose_results(directories)
    return chosen.results, people_of(chosen.results, read_corrections(directories))


def tracks_of(people):
    return {person.id: {(track.stream, track.track_id) for track in person.tracks} for person in people.persons}


def groups_of(people):
    return sorted(sorted(tracks) for tracks in tracks_of(people).values())


def test_strangers_are_found_again_across_cameras(results):
    _, people = found_in(results)
    assert groups_of(people) == [
        [("gate", 1), ("yard", 2)], [("gate", 2), ("yard", 1)], [("gate", 3)], [("gate", 4), ("yard", 3)]
    ]  # fmt: skip
    first = people.persons[0]
    assert (first.name, first.given, first.places) == ("Cid", False, [("one", "yard"), ("two", "gate")])


def test_ids_stay_however_often_and_with_what_else_it_is_asked(results):
    ids = {frozenset(tracks): one for one, tracks in tracks_of(found_in(results)[1]).items()}
    assert {frozenset(tracks): one for one, tracks in tracks_of(found_in(results[::-1])[1]).items()} == ids
    alone = tracks_of(found_in(results[:1])[1])
    together = found_in(results)[1]
    for one, tracks in alone.items():
        [person] = together.find(one)
        assert {(track.stream, track.track_id) for track in person.tracks} >= tracks
    moved = shutil.move(results[0], results[0].with_name("elsewhere"))
    assert set(tracks_of(found_in([moved])[1])) == set(alone)
    for one in tracks_of(found_in(results[1:])[1]):  # the id of any track means its person, also where another gives the name
        [person] = together.find(one)
        assert person.id in tracks_of(together)


def test_corrections_are_kept_beside_the_results_which_stay_as_they_are(results):
    before = {path: path.read_bytes() for one in results for path in one.rglob("*") if path.is_file()}
    chosen, people = found_in(results)
    merge = Desk(chosen, people, "ada", "the same coat").merge(["yard/1", "gate/3"])
    assert (merge.who, merge.note) == ("ada", "the same coat")
    assert [("gate", 2), ("gate", 3), ("yard", 1)] in groups_of(found_in(results)[1])
    for one in results:
        assert [c.id for c in read_corrections([one])] == [merge.id], "each of the results knows it"
    chosen, people = found_in(results)
    Desk(chosen, people, "ada").split(["gate/1"])
    assert [("gate", 1)] in groups_of(found_in(results)[1])
    chosen, people = found_in(results)
    Desk(chosen, people, "ada").name("gate/1", "Bea")
    [bea] = found_in(results)[1].find("Bea")
    assert (bea.name, bea.given, len(bea.tracks)) == ("Bea", True, 1)
    chosen, people = found_in(results)
    Desk(chosen, people, "bob").undo(merge.id[:5])
    assert [("gate", 2), ("yard", 1)] in groups_of(found_in(results)[1])
    for path, content in before.items():
        assert path.read_bytes().startswith(content) if path.name == CHAIN else path.read_bytes() == content, path
    assert all(verify_run(one, []).is_whole for one in results), "the chain vouches for what was said"
    added = {path for one in results for path in one.rglob("*") if path.is_file()} - set(before)
    assert added == {one / CORRECTIONS for one in results}


def test_a_name_of_a_track_is_said_of_it_alone_and_one_of_an_id_of_the_person(results):
    chosen, people = found_in(results)
    named = Desk(chosen, people, "ada").name("yard/1", "Ann")
    assert named.tracks == [TrackRef("run1", "yard", 1)]
    chosen, people = found_in(results)
    [ann] = people.find("Ann")
    assert len(ann.tracks) == 2, "grouping still shows the other one by this name"
    assert [(track.stream, track.track_id) for track in only_grouped(people, named)] == [("gate", 2)]
    whole = Desk(chosen, people, "eve").name(ann.id, "Ann")
    assert len(whole.tracks) == 2
    assert only_grouped(found_in(results)[1], whole) == []
    assert Desk(chosen, people, "eve").name("gate/2", "").tracks == whole.tracks, "a person's name is taken back as a whole"
    desk = Desk(chosen, people, "eve")
    desk.name(ann.id, "Ann")
    assert desk.notices == []
    desk.name("gate/3", "Ann ")
    assert desk.notices == ["Ann was there already, with 2 tracks: both are one person now"]


def test_what_cannot_be_corrected_is_said(results):
    chosen, people = found_in(results)
    desk = Desk(chosen, people, "ada")
    for call, words in (
        (lambda: desk.merge(["yard/1", "gate/2"]), "is only one"),
        (lambda: desk.merge(["yard/1", "P-NOBODY"]), "nobody in these results is 'P-NOBODY'"),
        (lambda: desk.split(["yard/1", "yard/2"]), "takes tracks out of one person"),
        (lambda: desk.split(["gate/3"]), "no other track"),
        (lambda: desk.split(["gate/33"]), "is not a track of these results"),
        (lambda: desk.name("yard/1", ""), "no name that a person gave"),
        (lambda: desk.undo("123"), "is not a correction of these results"),
    ):
        with pytest.raises(UsageError, match=words):
            call()
    assert read_corrections(results) == []


def test_two_who_are_there_at_once_are_two(tmp_path: Path):
    once = write_result(tmp_path / "one", [("ann", "", 0), ("ann", "", 1)])
    assert len(found_in([once])[1].persons) == 2
    after = write_result(tmp_path / "two", [("ann", "", 0), ("ann", "", 3)])
    assert len(found_in([after])[1].persons) == 1


@pytest.mark.parametrize(
    ("prior", "words"),
    [
        (0.001, r"from a likelihood ratio of 1,000 on, and no more than .* can be shown: use 0.00\d or more"),
        (0, "not a probability"),
        (1, "not a probability"),
    ],
)
def test_a_prior_that_joins_nobody_is_refused(results, prior, words):
    with pytest.raises(UsageError, match=words):
        people_of(choose_results(results).results, prior=prior)


def test_vectors_of_two_embedders_are_never_compared(tmp_path: Path):
    one = write_result(tmp_path / "one", [("ann", "", 0)])
    two = write_result(tmp_path / "two", [("ann", "", 0)], run_id="run2", sha256="ab" * 32)
    three = write_result(tmp_path / "three", [("ann", "", 0)], run_id="run3", sha256="")
    copy = shutil.copytree(one, tmp_path / "copy")
    chosen = choose_results([one, two, three, copy, tmp_path / "nothing", one])
    assert [result.run.directory for result in chosen.results] == [one]
    said = " ".join(chosen.left_out)
    for words in ("which cannot be compared", "had no embedder", "is a copy of", "is not the output directory"):
        assert words in said
    with pytest.raises(PublishError, match="had no embedder"):
        choose_results([three])
    with pytest.raises(UsageError, match="no result to look in"):
        choose_results([])


def test_a_killed_run_and_expired_vectors_are_no_obstacle(tmp_path: Path):
    one = write_result(tmp_path / "one", [("ann", "", 0), ("ann", "", 10)])
    (one / "tracks.jsonl").unlink()
    _, people = found_in([one])
    assert groups_of(people) == [[("yard", 1), ("yard", 2)]]
    (one / "embeddings_128.f32").write_bytes(bytes((one / "embeddings_128.f32").stat().st_size))
    _, people = found_in([one])
    assert (people.persons, people.left_out) == ([], 2)


def test_a_result_whose_vectors_cannot_be_read_is_left_out(tmp_path: Path):
    one, two = (write_result(tmp_path / name, [("ann", "", 0)], run_id=name) for name in ("one", "two"))
    (two / "embeddings_128.f32").unlink()
    chosen = choose_results([one, two])
    assert [result.run.directory for result in chosen.results] == [one]
    assert "cannot read" in chosen.left_out[0]


@pytest.mark.parametrize("place", ["../../x", "embeddings_64.f32", "embeddings_7.f32"])
def test_a_vector_that_lies_nowhere_counts_as_none_and_is_said(tmp_path: Path, place: str):
    one = write_result(tmp_path / "one", [("ann", "", 0), ("ann", "", 10), ("bob", "", 20)])
    (one / "embeddings_64.f32").write_bytes((one / "embeddings_128.f32").read_bytes())
    for name in ("faces.jsonl", "tracks.jsonl"):
        first, *others = (one / name).read_text().splitlines(keepends=True)
        (one / name).write_text(first.replace("embeddings_128.f32", place) + "".join(others))
    chosen = choose_results([one])
    assert chosen.left_out == [f"left out: 2 vectors of {one}: its lines point to rows that do not exist"]
    people = people_of(chosen.results)
    assert (groups_of(people), people.left_out) == ([[("yard", 2)], [("yard", 3)]], 1)


@pytest.mark.parametrize("name", ["/etc/hostname", "../../secret.jpg", "faces/a\\u0000b.jpg", "x" * 300])
def test_a_picture_that_lies_elsewhere_is_none_of_the_track(tmp_path: Path, name: str):
    (tmp_path / "secret.jpg").write_bytes(b"x")
    one = write_result(tmp_path / "out/one", [("ann", "", 0)], faces=1)
    text = (one / "faces.jsonl").read_text()
    (one / "faces.jsonl").write_text(text.replace("faces/yard/1/000000_original.jpg", name))
    (track,) = read_result(one).tracks
    assert track.picture() is None
    assert track.picture(("original", "enhanced")) == one.resolve() / track.faces[0].files["enhanced"]


def test_a_track_is_named_by_its_result_and_place(results):
    track = find_track(f"{results[1]}:gate/3")
    assert (track.stream, track.track_id) == ("gate", 3)
    assert find_track("ada.jpg") is None
    for words, why in (
        (str(results[0]), "is a folder: give a photograph, or a track of a result as"),
        (f"{results[0]}:gate/1", "has no stream 'gate'"),
        (f"{results[0]}:yard/9", "has no track 9 of yard: there are 1, 2, 3"),
    ):
        with pytest.raises(UsageError, match=why):
            find_track(words)


def test_a_result_of_two_embedders_is_refused(tmp_path: Path):
    one = write_result(tmp_path / "one", [("ann", "", 0)])
    text = (one / "run.json").read_text().replace('"enhance-1": {', '"enhance-2": {"embedder_sha256": "cd"}, "enhance-1": {')
    (one / "run.json").write_text(text)
    with pytest.raises(FacestreamError, match="several embedders"):
        read_result(one)


def test_the_page_says_whom_the_gallery_named_where_people_say_another_name(tmp_path: Path):
    one = write_result(tmp_path / "one", [("ann", "Ann", 0), ("bea", "Bea", 9)])
    chosen, people = found_in([one])
    Desk(chosen, people, "ada").name("yard/1", "Anna <i>")
    Desk(chosen, people, "ada").name("yard/2", "BEA")
    _, people = found_in([one])
    write_people(tmp_path / "p.html", people, people.persons, ["one"], [])
    text = (tmp_path / "p.html").read_text()
    assert text.count("the gallery says") == 1, "capitals make no other name"
    assert '<span class="badge undecided">the gallery says: <bdi>Ann</bdi></span>' in text


def test_the_page_shows_names_as_text_and_what_was_said(results, tmp_path: Path):
    chosen, people = found_in(results)
    Desk(chosen, people, "ada", "<i>sure</i>").name("yard/1", "<b>Ann</b>")
    _, people = found_in(results)
    path = tmp_path / "people.html"
    write_people(path, people, people.persons, ["one", "two"], ["left out: nothing"])
    text = path.read_text()
    assert "<b>Ann</b>" not in text
    assert "&lt;b&gt;Ann&lt;/b&gt;" in text
    assert "&lt;i&gt;sure" in text
    assert "left out: nothing" in text
    assert text.count("data:image/jpeg") > len(people.persons)
