"""Random bits of a finished result are flipped, one at a time: how many does ``facestream audit`` find, and name first?

``python -m tests.bench.bit_flips RESULT --flips 100`` works on a copy. Half of the flips fall on any byte (so mostly on
pictures), half on any kind of file. ``report.html`` is left out: it is made from the rest, and no block vouches for it.
"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path

from rich.console import Console

from engine.exhibit import verify

CONSOLE = Console()


def main() -> None:
    """Flip, audit, put back; exit code 1 where one was not found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("result", type=Path)
    parser.add_argument("--flips", type=int, default=100)
    parser.add_argument("--seed", type=int, default=19)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "result"
        shutil.copytree(options.result, copy)
        if faults := verify(copy).faults:
            raise SystemExit(f"it is not whole before: {faults[0].sentence}")
        raise SystemExit(flip_all(copy, options.flips, random.Random(options.seed)))


def flip_all(copy: Path, flips: int, chance: random.Random) -> int:
    """Return 0 where all were found."""
    files = [path for path in sorted(copy.rglob("*")) if path.is_file() and path.name != "report.html"]
    sizes = [path.stat().st_size for path in files]
    kinds: dict[str, list[Path]] = {}
    for path in files:
        kinds.setdefault(_kind(path), []).append(path)
    found, first, seconds = Counter[str](), 0, 0.0
    for number in range(flips):
        path = chance.choices(files, sizes)[0] if number % 2 else chance.choice(kinds[chance.choice(sorted(kinds))])
        whole = path.read_bytes()
        at, bit = chance.randrange(len(whole)), 1 << chance.randrange(8)
        path.write_bytes(whole[:at] + bytes([whole[at] ^ bit]) + whole[at + 1 :])
        begun = time.perf_counter()
        faults = verify(copy).faults
        seconds += time.perf_counter() - begun
        path.write_bytes(whole)
        found[_kind(path)] += bool(faults)
        first += bool(faults) and faults[0].file == path.relative_to(copy).as_posix()
        if not faults:
            CONSOLE.print(f"not found: bit {bit} of byte {at} of {path.relative_to(copy)}")
    CONSOLE.print(f"{found.total()} of {flips} found, {first} named first: {dict(sorted(found.items()))}")
    CONSOLE.print(f"{1000 * seconds / flips:.0f} ms an audit of {sum(sizes) / 1e6:.1f} MB in {len(files)} files")
    return int(found.total() < flips)


def _kind(path: Path) -> str:
    return "pictures" if path.suffix == ".jpg" else path.name


if __name__ == "__main__":
    main()
