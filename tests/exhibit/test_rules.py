"""Blocks that no program writes, and whether what went may have gone."""

import pytest

from engine.archive.chain import Block, Keep
from engine.archive.chain_cuts import ledger_of
from engine.archive.chain_writer import ChainWriter
from engine.errors import PublishError
from engine.exhibit.rules import only_corrects, too_young
from tests.exhibit.results import faults, finished

DAY_NS = 86_400 * 10**9
SHA = "ab" * 32


@pytest.mark.parametrize(
    ("kind", "facts", "said"),
    [
        ("corrected", {"edits": {"faces.jsonl": [(0, 2)]}}, "is of corrections, but says more"),
        ("corrected", {"pieces": {"faces.jsonl": [SHA]}}, "is of corrections, but says more"),
        ("sealed", {"edits": {"faces.jsonl": [(0, 2)]}}, "says that something was removed, but not why"),
        ("ended", {"cleared": {"embeddings_128.f32": [(0, 1)]}}, "says that something was removed, but not why"),
        ("cut", {"why": "erase", "edits": {"faces.jsonl": [(0, 2)]}}, "nothing was checked before"),
        ("sealed", {"pieces": {"faces.jsonl": [SHA]}}, "vouches for what was added while no run was active"),
        ("found", {"edits": {"faces.jsonl": [(4, 99)]}}, "does not follow from the blocks before"),
        ("found", {"pieces": {"faces.jsonl": ["xy"]}}, "does not follow from the blocks before"),
        ("found", {"edits": {"faces.jsonl": [(0, 3), (0, 3)]}}, "does not follow from the blocks before"),
        ("found", {"cleared": {"embeddings_128.f32": [(0, 2), (1, 3)]}}, "does not follow from the blocks before"),
    ],
)
def test_a_block_that_nobody_writes_is_named(tmp_path, kind, facts, said):
    result = finished(tmp_path)
    writer = ChainWriter(result)
    writer.add(kind, **facts)
    writer.close()
    assert said in faults(result)[0]
    assert faults(result)[0].startswith("chain.jsonl: line 3 ")


def test_a_resumed_run_changes_no_lines(tmp_path):
    result = finished(tmp_path)
    writer = ChainWriter(result)
    writer.add("found", why="resume")
    writer.add("cut", why="resume", edits={"faces.jsonl": [SHA, (1, 6)]})
    writer.close()
    assert "says that a resumed run has changed lines" in faults(result)[0]


def test_what_is_younger_than_the_rule_lets_go_did_not_go_by_it():
    week = Keep(pictures_days=7.0, records_days=30.0)
    assert too_young(week, 0, 8 * DAY_NS) == ""
    assert too_young(week, 0, 6 * DAY_NS) == "it was to stay for 7 days, and was at most 6.00 days old"
    assert too_young(week, 9 * DAY_NS, 8 * DAY_NS) == "", "a clock was wrong"
    assert too_young(Keep(pictures_gb=1.0, pictures_days=7.0), 0, 1) == "", "sizes are bound: nothing can be said"
    assert too_young(None, 0, 1) == too_young(Keep(), 0, 1) == "nothing was to go by age or size"


def test_a_correction_does_nothing_else():
    plain = {"number": 1, "at_ns": 1, "before": "", "kind": "corrected", "pieces": {"corrections.jsonl": [SHA]}}
    assert only_corrects(Block(**plain))
    assert not only_corrects(Block(**plain, run=SHA))


@pytest.mark.parametrize("span", [(10**18, 0), (-(10**18), 0), (0, 10**18), (3, -1), (2**62, 2**62)])
def test_a_number_in_a_block_makes_nobody_count_for_long(tmp_path, span):
    result = finished(tmp_path)
    for why in ("erase", "expire"):
        writer = ChainWriter(result)
        writer.add("found", why=why)
        writer.add("cut", why=why, edits={"faces.jsonl": [span, (0, 1)]}, keep=Keep(records_days=1.0))
        writer.close()
        assert "does not follow from the blocks before" in faults(result)[0]
        with pytest.raises(PublishError, match="is damaged"):
            ledger_of(result)
