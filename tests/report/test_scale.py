import re

import pytest

from engine.contracts.findings import Basis, Candidate
from engine.report.scale import scale

BASIS = Basis(4, 2, 30.0, None, 0.5, None, 0.01)


def marks(drawn):
    return re.findall(r'class="at( next)?" style="left:([0-9.]+)%"', drawn)


def test_a_likelihood_ratio_stands_between_what_can_be_shown(tmp_path):
    basis = Basis(4, 2, 30.0, None, 0.5, None, 0.01, log10_lr_bounds=(-2.0, 4.0))
    drawn = scale([Candidate("Ada", 0.9, log10_lr=3.0), Candidate("Bob", 0.5, log10_lr=-1.0)], basis)
    assert "likelihood ratio 1,000: much more probable" in drawn
    assert marks(drawn) == [(" next", "20.0"), ("", "60.0")]
    assert 'class="zone" style="left:10.0%;right:calc(100% - 70.0%)"' in drawn


def test_a_likelihood_ratio_at_its_bound_may_be_more():
    basis = Basis(4, 2, 30.0, None, 0.5, None, 0.01, log10_lr_bounds=(-2.0, 3.0))
    assert "likelihood ratio 1,000 or more: much more probable" in scale([Candidate("Ada", 0.9, log10_lr=3.0)], basis)
    assert "likelihood ratio 1/100 or less: appreciably" in scale([Candidate("Ada", 0.1, log10_lr=-2.0)], basis)


def test_a_chance_stands_beside_what_a_name_asks_for():
    basis = Basis(4, 2, 30.0, None, 0.5, None, 0.01, false_name_rate=0.001)
    drawn = scale([Candidate("Ada", 0.9, false_name_chance=1e-6)], basis)
    assert "named from 1 in 1,000" in drawn
    assert marks(drawn) == [("", "75.0")]


def test_a_cosine_stands_between_its_thresholds():
    basis = Basis(4, 2, 30.0, None, 0.5, None, 0.01, known_cosine=0.5, unknown_cosine=0.25)
    drawn = scale([Candidate("Ada", 0.75)], basis)
    assert ("unknown below 0.25" in drawn, "known from 0.50" in drawn) == (True, True)
    assert marks(drawn) == [("", "75.0")]


@pytest.mark.parametrize("basis", [None, BASIS])
def test_where_nothing_was_asked_for_there_is_no_scale(basis):
    assert scale([Candidate("Ada", 0.75)], basis) == scale([], basis) == ""
