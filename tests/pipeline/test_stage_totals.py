from __future__ import annotations

from engine.contracts.counts import Counts
from engine.pipeline.stage_totals import StageTotals
from engine.runtime.protocol import Beat, StageBeat


def beat(latency: StageBeat) -> Beat:
    return Beat(
        "publish", {"publish": StageBeat(4, 1.0, 1.0, 2.0, 3)}, Counts(), latencies={"publish": latency, "a:b": latency}
    )


def test_a_stream_called_like_a_stage_is_not_taken_for_it():
    """Also of those that are gone, whose percentiles and queues died with them."""
    totals = StageTotals()
    totals.keep(beat(StageBeat(9, 1.0, 50.0, 60.0)))
    before = totals.copy()
    totals.keep(beat(StageBeat(1, 1.0, 50.0, 60.0)))
    assert before.named([beat(StageBeat(2, 0.5, 40.0, 45.0))]) == {
        "publish": StageBeat(8, 2.0, 1.0, 2.0, 3),
        "latency.publish": StageBeat(11, 1.5, 40.0, 45.0),
        "latency.a:b": StageBeat(11, 1.5, 40.0, 45.0),
    }
    assert totals.named([])["publish"] == StageBeat(8, 2.0, 0.0, 0.0)
