from dataclasses import replace

import numpy as np
import pytest

from engine.config.verify import VerifyConfig
from engine.contracts.findings import Candidate
from engine.errors import ConfigError
from engine.verify import rules
from engine.verify.evidence import Fusion
from engine.verify.match_rate import ByMatchRate
from engine.verify.rules import check_rates, rule_of
from tests.verify.calibrated import MADE_UP
from tests.verify.faces import ThumbnailEmbedder
from tests.verify.measured import measured
from tests.verify.test_naming import ADA, BOB, THRESHOLDS, compare, snapshot, unit, why

ONE = measured()
RULE = ByMatchRate(ONE, THRESHOLDS, MADE_UP, 0.01)


def test_a_face_that_passes_is_known_whatever_the_size_of_the_gallery():
    between = unit(0.6, 0, 0.8)
    people = snapshot(ada=[ADA])
    resemblance = float(ONE.resemblance(between, people.matrix, ONE.crowding(people.matrix))[0])
    assert resemblance > 0.2
    assert compare(between, people, rule=RULE)[1] == "known"
    crowd = snapshot(ada=[ADA], **{f"other {at}": [unit(*row)] for at, row in enumerate(-np.eye(8))})
    assert compare(between, crowd, rule=RULE)[1] == "known"
    stricter = ByMatchRate(ONE, THRESHOLDS, MADE_UP, 1e-9)
    assert compare(between, people, rule=stricter)[1] == "undecided"


@pytest.mark.parametrize("rate", [0.1, 0.1000001, 0.2, 0.5])
def test_no_rate_names_a_face_that_is_like_nobody(rate):
    assert compare(-ADA, snapshot(ada=[ADA]), rule=ByMatchRate(ONE, THRESHOLDS, MADE_UP, rate))[1] != "known"


def test_faces_of_one_moment_pass_where_one_face_does():
    limits = np.array([[0.1, 0.2, 0.3], [0.0, 0.0, 0.0]] * 2)  # several faces: everyone
    rule = ByMatchRate(ONE, THRESHOLDS, replace(MADE_UP, limits=limits), 0.01)
    seen = [Fusion(None, None, 4, moments, size_px=64.0) for moments in (1, 2, 4)]
    assert [rule.fits(0.15, Candidate("ada", 0.5), one) for one in seen] == [False, True, True]


def test_why_says_the_rate_and_what_is_missing():
    basis = why(ADA, snapshot(ada=[ADA], bob=[BOB]), rule=RULE)
    assert (basis.target_fmr, basis.false_name_rate, basis.missing) == (0.01, None, "")
    assert why(ADA, snapshot(ada=[ADA]), size_px=13, rule=RULE).missing == "size"
    assert why(-ADA, snapshot(ada=[ADA]), rule=RULE).missing == "likeness"
    assert why(ADA, snapshot(ada=[ADA]), count=1, rule=RULE).missing == "faces"


def test_the_sentence_counts_comparisons_and_what_they_come_to():
    sentence = (
        "10 in 1,000 comparisons with another person's picture pass; with 20 pictures enrolled up to 200 in 1,000 strangers"
    )
    assert RULE.sentence(20).startswith(sentence)


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (VerifyConfig(target_fmr=0.01, known_cosine=0.9), "verify.target_fmr and verify.known_cosine both say who gets a name"),
        (VerifyConfig(target_fmr=0.01, unknown_cosine=0.3), "verify.target_fmr and verify.unknown_cosine both"),
        (VerifyConfig(target_fmr=0.01, false_name_rate=0.01), "verify.target_fmr and verify.false_name_rate both"),
        (VerifyConfig(target_fmr=0.2), r"verify.target_fmr \(0.2\) is above the largest rate .*: use 0.1 or less"),
        (VerifyConfig(target_fmr=1e-9), r"verify.target_fmr \(1e-09\) is below what the"),
    ],
)
def test_what_contradicts_itself_or_was_not_measured_is_refused_before_and_at_the_start(monkeypatch, config, words):
    with pytest.raises(ConfigError, match=words):
        check_rates(config)
    monkeypatch.setattr(rules, "open_set_of", lambda sha256: ONE)
    monkeypatch.setattr(rules, "calibration_of", lambda sha256: MADE_UP)
    with pytest.raises(ConfigError, match=words):
        rule_of(ThumbnailEmbedder(), config)


@pytest.mark.parametrize("config", [VerifyConfig(target_fmr=0.01), VerifyConfig(prior=0.5)])
def test_an_embedder_without_a_calibration_refuses_what_needs_one(config):
    with pytest.raises(ConfigError, match="needs a calibration, and the embedder"):
        rule_of(ThumbnailEmbedder(), config)
