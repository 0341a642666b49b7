from __future__ import annotations

from engine.decode.counted import Counted


def test_a_copy_goes_its_own_way_and_names_are_made_at_the_end():
    counted = Counted(("frames",), ("corrupt",))
    counted.counts["frames"] += 2
    counted.drops["corrupt"] += 1
    before = counted.copy()
    counted.drops["corrupt"] += 1
    counted.decode_ns += 5
    assert counted.named() == {"frames": 2, "drops.corrupt": 2}
    assert (before.named(), before.decode_ns) == ({"frames": 2, "drops.corrupt": 1}, 0)
