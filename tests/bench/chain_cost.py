"""What the hash chain costs a run, in processor's time: ``python -m tests.bench.chain_cost``."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from rich.console import Console

from engine.archive.chain_writer import ChainWriter
from engine.keys.signing import SigningKey, make_signing_key

CONSOLE = Console()
_LINE, _VECTOR = b"x" * 2200, b"\1" * 512
"""As a face has them that was compared with five people."""
_LINES, _BLOCKS, _LINES_OF_A_BLOCK = 20_000, 500, 10


def main() -> None:
    """Measure without a key and with one."""
    with tempfile.TemporaryDirectory() as folder:
        key, _ = make_signing_key(Path(folder) / "key.pem")
        for words, which in (("not signed", None), ("signed", key)):
            directory = Path(folder) / words
            directory.mkdir()
            line_us, block_us, size_bytes = measured(directory, which)
            CONSOLE.print(
                f"{words}: {line_us:.1f} µs a line with its vector, {block_us:.0f} µs a block of {_LINES_OF_A_BLOCK}, "
                f"{size_bytes:.0f} bytes a line"
            )


def measured(directory: Path, key: SigningKey | None) -> tuple[float, float, float]:
    """Return microseconds of a line and of a block, and the bytes of the chain for each line."""
    chain = ChainWriter(directory, key)
    blocks = 0.0
    begun = time.process_time()
    for number in range(_LINES):
        chain.note("faces.jsonl", _LINE, number)
        chain.note("embeddings_128.f32", _VECTOR, number)
    lines = time.process_time() - begun
    chain.add("sealed")
    before = (directory / "chain.jsonl").stat().st_size
    for _ in range(_BLOCKS):
        for number in range(_LINES_OF_A_BLOCK):
            chain.note("faces.jsonl", _LINE, number)
            chain.note("embeddings_128.f32", _VECTOR, number)
        begun = time.process_time()
        chain.add("sealed")
        blocks += time.process_time() - begun
    size_bytes = (directory / "chain.jsonl").stat().st_size - before
    chain.close()
    return 1e6 * lines / _LINES, 1e6 * blocks / _BLOCKS, size_bytes / (_BLOCKS * _LINES_OF_A_BLOCK)


if __name__ == "__main__":
    main()
