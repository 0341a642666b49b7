"""English spells some of our words in two ways."""

import pytest

from engine.cli.spelling import spelt_as_here
from tests.cli.command import complains, here


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("enroll Ada a.jpg", "enrol Ada a.jpg"),
        ("enroll enroll enroll", "enrol enroll enroll"),
        ("licenses --json", "licences --json"),
        ("ctl people enroll enroll enroll.jpg", "ctl people enrol enroll enroll.jpg"),
        ("ctl enroll", "ctl enroll"),
        ("tokens new enroll --roles view enroll --certificate", "tokens new enroll --roles view enrol --certificate"),
        ("keys new enroll --control enroll --topics enroll", "keys new enroll --control enrol --topics enroll"),
        ("models pull yunet --accept-license", "models pull yunet --accept-licence"),
        ("", ""),
    ],
)
def test_words_of_ours_are_taken_in_both_spellings_and_names_are_left_alone(given: str, taken: str) -> None:
    assert spelt_as_here(given.split()) == taken.split()


def test_both_spellings_have_help_and_errors_of_the_one_that_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert here(capsys, "enroll", "--help").out == here(capsys, "enrol", "--help").out
    assert here(capsys, "ctl", "people", "enroll", "--help").out.startswith("Usage: facestream ctl people enrol")
    complains(here(capsys, "enroll", "ada"), 2, "IMAGES is missing")
    complains(here(capsys, "enrole"), 2, "did you mean enrol?")
    assert " enroll " not in here(capsys, "--help").out
