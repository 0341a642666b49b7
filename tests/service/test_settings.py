import pytest

from engine.service.refusal import Refusal
from engine.service.settings import ChangeableSettings


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"verify.target_fmr": 1e-9}, "changes.verify.target_fmr", "is below what the"),
        ({"verify.target_fmr": 0.01, "verify.known_cosine": 0.9}, "changes.verify.target_fmr", "leave one of them out"),
        ({"verify.false_name_rate": 1e-9}, "changes.verify.false_name_rate", "is below what the"),
        ({"verify.prior": 2.0}, "changes.verify.prior", "verify.prior"),
    ],
)
def test_rates_that_a_run_would_refuse_are_refused_before_they_are_kept(changes, field, words):
    with pytest.raises(Refusal, match=words) as refused:
        ChangeableSettings(None).merged({}, changes)
    assert (refused.value.problem.code, refused.value.problem.field) == ("bad_request", field)


def test_a_rate_that_the_data_can_show_is_kept():
    assert ChangeableSettings(None).merged({}, {"verify.target_fmr": 0.01}) == {"verify.target_fmr": 0.01}


@pytest.mark.parametrize(
    ("name", "meant"), [("crop.min_size", "crop.min_size_px"), ("live.fps", "live.detect_fps"), ("xyz", "")]
)
def test_a_name_that_is_no_setting_is_told_with_the_one_that_was_meant(name, meant):
    with pytest.raises(Refusal) as refused:
        ChangeableSettings(None).merged({}, {name: 16})
    assert (f"did you mean {meant}? " in str(refused.value.problem.message)) == bool(meant)
