from __future__ import annotations

import pytest

from engine.pictures.x264 import repeatable_x264


@pytest.mark.parametrize(
    ("flags", "options"),
    [("fpu avx2 avx512f avx512_bf16", {"x264-params": "asm=avx2"}), ("fpu avx2", {}), ("asimd neon", {}), ("", {})],
)
def test_avx512_is_left_out_where_there_is_some(tmp_path, flags, options):
    (tmp_path / "cpuinfo").write_text(f"processor : 0\nflags : {flags}\n")
    assert repeatable_x264(tmp_path / "cpuinfo") == options


def test_without_cpuinfo_nothing_is_asked(tmp_path):
    assert repeatable_x264(tmp_path / "missing") == {}
