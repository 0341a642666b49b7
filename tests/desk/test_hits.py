from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine.contracts.findings import Quality
from engine.desk.compared import compare, photograph_side, quality_limits, track_side
from engine.desk.hits import search
from engine.desk.hits_page import chance_sentence, write_hits
from engine.desk.likeness import Likeness, haze_of
from engine.desk.people import ref_of
from engine.desk.photograph import Photographed
from engine.desk.stored import read_result
from tests.desk.results import DLIB, person_vector, write_result

WALKS = [(f"person{number}", "", 10.0 * number) for number in range(40)]


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return read_result(write_result(tmp_path_factory.mktemp("desk") / "one", WALKS, faces=3))


@pytest.fixture(scope="module")
def likeness():
    return Likeness(DLIB)


def test_the_person_comes_first_with_what_that_is_worth(result, likeness):
    found = search(person_vector("person7", 1), 100.0, [result], likeness, 5)
    assert (found.faces, found.tracks, len(found.hits)) == (120, 40, 5)
    best = found.hits[0]
    assert best.track.track_id == 8
    assert best.worth.log10_lr > 1
    assert best.worth.log10_lr > found.hits[1].worth.log10_lr
    assert 0 < best.by_chance < 1


def test_it_gives_what_looking_at_every_vector_gives(result, likeness, monkeypatch):
    monkeypatch.setattr("engine.desk.hits._AT_ONCE", 7)
    for who in range(0, 40, 9):
        vector = person_vector(f"person{who}", 1)
        found = search(vector, 30.0, [result], likeness, 6)
        best, own_haze = {}, haze_of(np.array([30.0]))[0]
        for track in result.tracks:
            rows = [(track.vector, track.moments, 1, track.size_px)]
            rows += [(result.run.row(face.embedding), 1, 3, face.quality.size_px) for face in track.faces]
            values = []
            for row, moments, tries, size in rows:
                alike = float(likeness.resemblance(vector, row[None])[0] - own_haze * haze_of(np.array([size]))[0])
                values.append(likeness.worth(alike, min(size, 30.0), moments, tries).log10_lr + 1e-3 * alike)
            best[track.track_id] = max(values)
        expected = sorted(best, key=best.get, reverse=True)[:6]
        assert [hit.track.track_id for hit in found.hits] == expected


def test_the_bound_is_one(result, likeness):
    vectors = np.stack([track.vector for track in result.tracks])
    one = person_vector("somebody else")
    assert (likeness.most_resemblance(one, vectors) >= likeness.resemblance(one, vectors) - 1e-5).all()


def test_without_a_measurement_there_are_cosines_alone(tmp_path: Path):
    result = read_result(write_result(tmp_path / "one", WALKS[:5], sha256="ab" * 32))
    found = search(person_vector("person3", 1), 100.0, [result], Likeness("ab" * 32), 3)
    assert found.hits[0].track.track_id == 4
    assert (found.hits[0].worth, found.hits[0].by_chance) == (None, None)
    assert search(person_vector("person3", 1)[:64], 100.0, [result], Likeness("ab" * 32), 3).hits == []


@pytest.mark.parametrize(
    ("tracks", "by_chance", "says"),
    [
        (1, 0.0001, "Of 1 track of strangers fewer than 0.001 would look as much alike, on average"),
        (40, 0.02, "Of 40 tracks of strangers at most 0.02 would look as much alike, on average"),
        (3000, 2.7, "Of 3,000 tracks of strangers at most 3 would look as much alike, on average"),
        (40, None, ""),
    ],
)
def test_how_many_strangers_look_so_is_one_bound_in_words(result, likeness, tracks, by_chance, says):
    hit = search(person_vector("person3", 1), 100.0, [result], likeness, 1).hits[0]
    assert chance_sentence(replace(hit, by_chance=by_chance), tracks) == says


def test_the_page_of_hits_holds_its_pictures(result, likeness, tmp_path: Path):
    photograph = Photographed("<i>.jpg", person_vector("person7", 1), Quality(100, 0.8, 0.9, 0.7), b"\xff\xd8", ["turned."])
    found = search(photograph.vector, 100.0, [result], likeness, 4)
    write_hits(tmp_path / "hits.html", photograph, found, [], {ref_of(found.hits[0].track): "Zo\u00eb"})
    text = (tmp_path / "hits.html").read_text()
    assert text.count("<article") == 5
    assert "Such a likeness is" in text
    assert "<i>" not in text
    assert "AI-enhanced" in text
    assert text.count("Zo\u00eb</bdi>, named by a person") == 1


def test_who_is_more_probably_somebody_else_stands_apart_from_the_hits(result, likeness, tmp_path: Path):
    def page(who: str, limit: int) -> list[str]:
        photograph = Photographed("a.jpg", person_vector(who, 1), Quality(100, 0.8, 0.9, 0.7), b"\xff\xd8", [])
        found = search(photograph.vector, 100.0, [result], likeness, limit)
        write_hits(tmp_path / f"{who}.html", photograph, found, [], {})
        text = (tmp_path / f"{who}.html").read_text()
        return re.findall(r"<h2>(.*?)</h2>|(No track speaks for the person looked for)", text)

    assert page("person7", 4) == [("Looked for", ""), ("Hits, best first", ""), ("More probably somebody else", "")]
    nobody = ("", "No track speaks for the person looked for")
    assert page("a stranger", 2) == [("Looked for", ""), ("More probably somebody else", ""), nobody]


def test_two_tracks_are_compared_with_what_limits_it(result, likeness):
    one, other, third = (result.tracks[at] for at in (0, 0, 1))
    sides = [track_side(track, track.vector, []) for track in (one, other, third)]
    same, two = compare(sides[0], sides[1], likeness), compare(sides[0], sides[2], likeness)
    assert same.cosine == pytest.approx(1, abs=1e-5)
    assert (same.is_same, same.worth, same.by_chance) == (True, None, None)
    assert two.worth.log10_lr < 0
    assert any("Between two recordings" in sentence for sentence in two.limits)


@pytest.mark.parametrize(("change", "is_told"), [(0.001, True), (0.01, True), (0.03, False)])
def test_two_copies_of_one_photograph_are_pointed_out(likeness, change, is_told):
    one = person_vector("ann")
    other = one + change * np.random.default_rng(1).standard_normal(128).astype(np.float32)
    vectors = one, other / np.linalg.norm(other)
    quality = Quality(100, 0.8, 0.9, 0.7)
    sides = [photograph_side(Photographed(f"{at}.jpg", vector, quality, b"", [])) for at, vector in enumerate(vectors)]
    compared = compare(*sides, likeness)
    assert any("copies of one photograph" in sentence for sentence in compared.limits) == is_told


def test_a_mirrored_copy_of_a_photograph_is_pointed_out(likeness):
    one, other, mirrored = person_vector("ann"), person_vector("ann", 1), person_vector("ann", 2)
    quality = Quality(100, 0.8, 0.9, 0.7)
    sides = [
        photograph_side(Photographed("1.jpg", one, quality, b"", [], mirrored)),
        photograph_side(Photographed("2.jpg", mirrored, quality, b"", [], other)),
    ]
    assert "copies of one photograph" in compare(sides[0], sides[1], likeness).limits[0]
    alone = photograph_side(Photographed("2.jpg", other, quality, b"", []))
    assert "copies of one photograph" not in compare(sides[0], alone, likeness).limits[0]


def test_limits_are_those_of_the_better_faces():
    good, small = Quality(60, 0.9, 0.95, 0.8, qp=20), Quality(20, 0.9, 0.95, 0.2)
    assert quality_limits([good, small]) == []
    said = quality_limits([Quality(20, 0.2, 0.5, 0.1, damaged=True, qp=40)])
    assert [any(word in one for one in said) for word in ("20 px", "blurred", "turned away", "compressed", "damaged")] == [
        True
    ] * 5
    whole = Quality(60, 0.9, 0.95, 0.8, qp=40, qp_of_picture=True)
    assert quality_limits([whole]) == [], "it says little about one place"
    assert "from 40 px on" in quality_limits([Quality(35, 0.9, 0.95, 0.5)])[0]
    assert quality_limits([Quality(39.8, 0.398, 0.95, 0.5)]) == [
        "the face is 39.8 px: from 40.0 px on a comparison says more.",
        "the face is blurred (sharpness 0.398; plain from 0.400 on).",
    ]
    assert quality_limits([]) == ["no face of it is left."]


def test_two_faces_that_have_lost_detail_must_be_more_alike(likeness):
    haze = haze_of(np.array([10.0, 24.0, 32.0, 48.0, 140.0, 300.0]))
    assert (np.diff(haze) <= 0).all()
    assert haze[-1] == 0
    assert float(haze[2] ** 2) == pytest.approx(0.018, abs=0.001)
    least = likeness.resemblance_worth(2.0)
    assert likeness.worth(least, 64.0, 2).log10_lr == pytest.approx(2.0, abs=0.01)
    assert likeness.resemblance_worth(9.0) == float("inf")
    assert Likeness("ab" * 32).resemblance_worth(1.0) == float("inf")
