from __future__ import annotations

import pytest

from engine.decode.silence import Silence


@pytest.mark.parametrize(
    ("gaps", "not_yet", "long"),
    [
        ([], 1.9, 2.0), ([0.04] * 9, 1.9, 2.0), ([2.0], 4.9, 5.0), ([2.0] * 9, 4.9, 5.0), ([0.04, 0.04, 8.0, 0.04], 1.9, 2.0),
        ([2.0, 2.0, 0.1, 9.0, 2.0], 4.9, 5.0), ([3.0] * 9 + [0.2] * 5, 1.9, 2.0),
    ],
)  # fmt: skip
def test_a_silence_is_long_where_packets_usually_come_sooner(gaps: list[float], not_yet: float, long: float) -> None:
    """A camera of one picture in two seconds was called stalled, and live, with each of them."""
    silence, now = Silence(2.0), 100.0
    silence.came(now)
    for gap in gaps:
        now += gap
        silence.came(now)
    assert (silence.is_long(not_yet), silence.is_long(long)) == (False, True)
