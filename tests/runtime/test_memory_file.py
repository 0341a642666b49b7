from __future__ import annotations

from pathlib import Path

from engine.runtime.memory_file import available_bytes


def test_the_memory_limit_of_a_container_counts(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 9000 kB\nMemAvailable: 8000 kB\n")
    assert available_bytes(meminfo, tmp_path) == 8000 * 1024
    (tmp_path / "memory.max").write_text("3000000\n")
    (tmp_path / "memory.current").write_text("2500000\n")
    (tmp_path / "memory.stat").write_text("anon 1\nfile 99\ninactive_file 100000\nactive_file 50000\n")
    assert available_bytes(meminfo, tmp_path) == 650_000
    (tmp_path / "memory.max").write_text("max\n")
    assert available_bytes(meminfo, tmp_path) == 8000 * 1024
