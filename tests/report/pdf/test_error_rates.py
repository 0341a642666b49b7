"""The figures on paper are those that were measured, as the documentation has them."""

import re
from pathlib import Path

import msgspec
import pytest

from engine.archive.reader import FaceLine, TrackRecord
from engine.contracts.findings import Basis, Candidate
from engine.models.catalog import embedded_dir
from engine.report.pdf.error_rates import bucket_of, error_rates, naming_rates
from engine.report.pdf.sentences import limits, strength
from engine.verify.likelihood import read_calibration
from engine.words.worth import bounded, one_in
from tests.publish.samples import as_sent, face, track

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
    now = re.search(r"people enrolled \| right name at 16, 24, 32, 48 px, before \| now .*?\| 200 \|[^|]*\| ([^|]*) % \|", text)
    assert [(one.size_px, one.right_percent) for one in rates.sizes] == list(
        zip((16, 24, 32, 48), map(float, now[1].split(", ")), strict=True)
    )
    assert f"{rates.tracks:,} tracks of {rates.people} people in no training set" in text
    assert f"; {rates.galleries} galleries of each size" in text
    assert re.search(rf"\| {rates.people_enrolled} \|[^|]*\|[^|]*\|[^|]*\| [\d.]+, {rates.strangers_named_per_1000} \|", text)
    assert f"At most {rates.others_names_percent} % of the tracks of enrolled people had another's name" in text
    large = rates.large_gallery
    assert large.strangers_named == 0
    assert re.search(
        rf"Of {large.stranger_tracks:,} tracks of \d+ strangers none had a name from a gallery of {large.people_enrolled} "
        rf"people \(95 %: at most {large.high_per_1000} in 1,000\)",
        text,
    )


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
        "11.3 % of the tracks of people enrolled got their own name",
        "0.011 % got another's name",
        "at most 0.18 in 1,000 tracks of strangers",
        "5,708 tracks of 813 people, in 200 galleries",
        "With 500 people enrolled none of 11,648 tracks of strangers got a name",
        "at most 0.32 in 1,000 (95 %)",
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
