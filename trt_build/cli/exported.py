"""What the command line says of an exported network."""

from __future__ import annotations

from pathlib import Path

from engine.contracts.manifest import Manifest


def exported_words(manifest: Manifest, folder: Path, *more: str) -> str:
    """Return one sentence on a network that was exported into ``folder``; ``more`` stands before its difference from torch."""
    assert manifest.parity is not None
    differs = f"differs from torch by at most {manifest.parity.max_abs_error:.1e}"
    return f"{folder / manifest.file}: {', '.join((f'{manifest.parameters / 1e3:.0f} k parameters', *more, differs))}."
