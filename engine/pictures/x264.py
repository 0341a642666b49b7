"""What makes libx264 repeat itself."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def repeatable_x264(cpuinfo: Path = Path("/proc/cpuinfo")) -> dict[str, str]:
    """Return options with which libx264, on one thread, encodes the same pictures alike every time.

    Its AVX-512 code reads memory that was never written: of a few small pictures it made up to 27 different encodings in 60
    tries, with AVX2 one.
    """
    try:
        has_avx512 = "avx512f" in cpuinfo.read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        has_avx512 = False
    return {"x264-params": "asm=avx2"} if has_avx512 else {}
