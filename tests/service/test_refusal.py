"""Sentences that were written for a run, as a service says them."""

from __future__ import annotations

import pytest

from engine.service.refusal import in_service_words


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        (
            "rtsp://192.0.2.1/s asks for a user name and password: give them in the URL, or in a file with `credentials` "
            "(--credentials)",
            "rtsp://192.0.2.1/s asks for a user name and password: give them",
        ),
        ("look at it with `facestream gallery quarantine`", "look at it with `facestream ctl people quarantine`"),
        (
            "rtsp://192.0.2.1/s has no session free: end other viewers",
            "rtsp://192.0.2.1/s has no session free: end other viewers",
        ),
    ],
)
def test_options_and_commands_of_a_run_are_not_named(sentence, said):
    assert in_service_words(sentence) == said
