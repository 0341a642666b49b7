"""The figures on paper are those that were measured, as the documentation has them."""

import re
from pathlib import Path

import msgspec
import numpy as np
import pytest

from engine.archive.reader import FaceLine, TrackRecord
from engine.contracts.findings import Basis, Candidate
from engine.models.catalog import embedded_dir
from engine.report.pdf.error_rates import bucket_of, error_rates, naming_rates
from engine.report.pdf.sentences import limits, strength
from engine.verify.likelihood import read_calibration
from engine.words.worth import bounded, one_in
from tests.bench.naming_rates import Figures, rates_of
from tests.bench.open_set_figures import CHANCE, MEAN, Outcome
from tests.bench.open_set_galleries import Drawn
from tests.publish.samples import as_sent, face, track
from trt_build.data.people.recording import NOBODY

CALIBRATION = read_calibration(embedded_dir() / "dlib_likelihood.npz")
RUN = {"workers": {"enhance-1": {"embedder": "dlib", "embedder_sha256": CALIBRATION.embedder_sha256, "names": "a rule"}}}
BASIS = Basis(
    faces=5, faces_needed=2, size_px=45.0, size_needed_px=14.0, quality=0.5, margin=0.1, margin_needed=0.01,
    false_name_rate=0.001, moments=5, calibration=CALIBRATION.id, bucket="40 px and more, several faces",
    log10_lr_bounds=(-1.7, 4.84),
)  # fmt: skip


def a_record(basis=BASIS, **candidate):
    ada = Candidate("Ada", 0.98, **({"log10_lr": 4.84, "false_name_chance": 2e-7} | candidate))
    said = msgspec.structs.replace(as_sent(track(track_id=3)[0]), basis=basis, candidates=[ada])
    return TrackRecord("cam1", 3, said)


def test_the_bench_of_names_is_the_documentation():
    text = " ".join((Path(__file__).parents[3] / "docs/results/names.md").read_text().split())
    rates = naming_rates()
    rows = re.findall(r"\| (\d+) px \| chance 0.001 \| (\d+) \| ([\d.]+) % \| (\d+) \|", text)
    assert [(one.size_px, one.right_percent) for one in rates.sizes] == [(int(px), float(right)) for px, _, right, _ in rows]
    assert rates.enrolled_tracks == sum(int(tracks) for _, tracks, _, _ in rows)
    assert rates.others_names == sum(int(wrong) for *_, wrong in rows)
    strangers = re.findall(r"\| \d+ px \| mean, chance 0.001 \| ([\d,]+) \| (\d+) \|", text)
    assert rates.stranger_tracks == sum(int(tracks.replace(",", "")) for tracks, _ in strangers)
    assert rates.strangers_named == sum(int(named) for _, named in strangers)
    assert f"(95 %: at most {rates.high_per_1000} in 1,000)" in text
    assert f"of {rates.people} people with a track" in text
    assert f"({rates.galleries} of each size, with one enrolled everyone in turn)" in text
    assert re.search(rf"\| {rates.people_enrolled} \|[^|]*\| 0.00 % \| {rates.strangers_named_per_1000:.2f} \| 100", text)


def test_the_rates_that_ship_are_counted_over_all_sizes_under_the_default_rule():
    def outcome(size_px, rule, right, named):
        return Outcome(size_px, rule, right, 1, 20 - right - 1, 0, named, 0, 1000)

    drawn = [Drawn(people, 1, {"16 px": 0.1, "48 px": 0.3}, 0.0, named, {}) for people, named in ((1, 0.0), (10, 1e-4))]
    outcomes = [outcome(16, CHANCE, 2, 1), outcome(16, MEAN, 3, 9), outcome(48, CHANCE, 7, 0)]
    tracks = {"picture": np.array(["Ada/Ada_1.jpg", "Ada/Ada_2.jpg", "Bob/Bob_1.jpg", NOBODY])}
    found = rates_of(Figures(outcomes, {CHANCE: drawn}), tracks, 10)
    assert (found.people, found.people_enrolled) == (2, 10)
    assert (found.enrolled_tracks, found.others_names) == (40, 2)
    assert (found.stranger_tracks, found.strangers_named, found.high_per_1000) == (2000, 1, 2.78)
    assert found.strangers_named_per_1000 == 0.1
    assert [(one.size_px, one.right_percent) for one in found.sizes] == [(16, 10.0), (48, 35.0)]


@pytest.mark.parametrize(("of_picture", "words"), [(False, "(quantiser 31;"), (True, "(quantiser of the whole picture 31;")])
def test_the_compression_is_that_of_the_face_only_where_it_is_known(of_picture, words):
    seen = as_sent(face()[0])
    quality = msgspec.structs.replace(seen.quality, qp=31.2, qp_of_picture=of_picture)
    record = TrackRecord("cam1", 3, faces=[FaceLine(msgspec.structs.replace(seen, quality=quality), {})])
    assert any(words in sentence for sentence in limits(record))


def test_a_track_has_the_rates_of_its_size_and_what_they_were_measured_on():
    text = " ".join(error_rates(RUN, a_record()))
    for words in (
        "a rule.",
        "at most 1 in 100,000 strangers",
        "faces of 48 px",
        "15.9 % of the tracks of people enrolled got their own name",
        "none of 1,890 got another's name",
        "none of 13,326 tracks of strangers",
        "at most 0.28 in 1,000 (95 %",
        "In 200 galleries drawn anew it was 0.02 in 1,000 on average (tracks of 823 people)",
        "4,363 tracks of 472 people",
        "reached by 4 of 21,676 pairs of people in one picture",
        "not on this camera",
    ):
        assert words in text, words


def test_another_rule_or_embedder_is_given_no_figures_that_were_not_measured_for_it():
    set_otherwise = msgspec.structs.replace(BASIS, false_name_rate=0.01)
    assert "In a test" not in " ".join(error_rates(RUN, a_record(set_otherwise)))
    other = {"workers": {"enhance-1": {"embedder": "mine", "embedder_sha256": "00" * 32}}}
    assert list(error_rates(other, a_record(msgspec.structs.replace(BASIS, false_name_rate=None)))) == [
        "No error rates were measured for the network that compared these faces."
    ]


def test_the_ratio_is_said_in_words_with_its_bounds_and_the_people_behind_it():
    record = a_record()
    bucket = bucket_of(RUN, record.track.basis)
    text = " ".join(strength(record, bucket.same, bucket.different))
    for words in (
        "far more probable if it is Ada",
        "69,000 times or more as probable",
        "likelihood ratio 69,000 or more, log10 4.8",
        "40 px and more, several faces",
        f"{bucket.same:,} people",
        f"{bucket.different:,} pairs",
        "no ratio above 69,000 or below 1/50",
    ):
        assert words in text, (words, text)


def test_a_calibration_of_another_version_is_not_taken_for_this_one():
    assert bucket_of(RUN, msgspec.structs.replace(BASIS, calibration="0" * 12)) is None


def test_without_a_calibration_the_likeness_is_said_to_mean_little():
    record = a_record(msgspec.structs.replace(BASIS, size_px=12.0, log10_lr_bounds=None), log10_lr=None)
    [text] = strength(record)
    assert text.startswith("No likelihood ratio was calibrated for this way to compare or so small a face")


def test_a_ratio_without_a_name_is_no_finding():
    named, unnamed = a_record(), a_record(log10_lr=-1.0)
    unnamed.track = msgspec.structs.replace(unnamed.track, decision="undecided")
    assert "not a finding" not in " ".join(strength(named))
    text = " ".join(strength(unnamed))
    assert "If the face is a stranger's, such a likeness is 10 times as probable as if it is this person's" in text
    assert "The software gave no name: the ratio is not a finding by itself." in text
    assert "No name does not mean that the person is not enrolled." in list(limits(unnamed))
    assert [bounded(value, (-1.7, 4.84)) for value in (-1.7, 0.5, 4.84)] == ["1/50 or less", "3.2", "69,000 or more"]


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (1, "every one"), (0.302, "310 in 1,000"), (0.1, "1 in 10"), (0.001, "1 in 1,000"), (0.0000243, "1 in 41,000"),
        (1e-9, "1 in 100,000"), (0.0023, "1 in 430"),
    ],
)  # fmt: skip
def test_bounds_are_rounded_up(share, told):
    assert one_in(share) == told
