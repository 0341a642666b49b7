"""What encryption of a gallery costs beside a plain one: ``python -m tests.bench.gallery_cipher --people 10000 100000``.

The same people in a plain file and in an encrypted one, in turns: opened and read as a run begins, an enrolment, and what a run
that follows the file does after it. Times are of the processor. Needs the extra ``encrypted``.
"""

from __future__ import annotations

import argparse
import os
import secrets
import tempfile
from pathlib import Path

import numpy as np

from engine.verify.gallery.sqlite.cipher import GalleryKey, read_key
from engine.verify.gallery.sqlite.gallery import Gallery
from engine.verify.gallery.sqlite.rewriting import rewrite
from tests.bench.gallery import CONSOLE, fill, made_up, timed, words

_SHA = "a" * 64
_TURNS = 5
_CHANGES = 100


def _measure(folder: Path, people: int, key: GalleryKey) -> None:
    crowd = made_up(200, 3, np.eye(128, dtype=np.float32))
    paths: dict[str, tuple[Path, GalleryKey | None]] = {
        "plain": (folder / "plain.sqlite", None),
        "encrypted": (folder / "encrypted.sqlite", key),
    }
    with Gallery(paths["plain"][0]) as gallery:
        fill(gallery, lambda count, seed: made_up(count, seed, crowd), people, _SHA, 1)
    written = timed(lambda: rewrite(paths["plain"][0], paths["encrypted"][0], None, key))
    sizes = [path.stat().st_size / 2**20 for path, _ in paths.values()]
    CONSOLE.print(
        f"{people:,} people, load {os.getloadavg()[0]:.0f}: encrypted in {written:.1f} s, {sizes[0]:.1f} and {sizes[1]:.1f} MiB"
    )
    taken: dict[tuple[str, str], list[float]] = {}
    for _ in range(_TURNS):
        for kind, (path, opens) in paths.items():

            def read(path: Path = path, opens: GalleryKey | None = opens) -> None:
                with Gallery(path, read_only=True, key=opens) as opened:
                    opened.snapshot(_SHA)

            taken.setdefault(("read anew", kind), []).append(timed(read))
    followed = {kind: Gallery(path, key=opens) for kind, (path, opens) in paths.items()}
    news = {kind: gallery.follow(_SHA) for kind, gallery in followed.items()}
    for one in news.values():
        one.news()
    for number, vector in enumerate(made_up(_CHANGES, 9, crowd)):
        for kind, gallery in followed.items():

            def enrol(gallery: Gallery = gallery, number: int = number, vector: np.ndarray = vector) -> None:
                gallery.add(
                    f"new {number}", vector, embedder="dlib", embedder_sha256=_SHA, runtime="made up", source_name="",
                    picture_sha256=f"new {number}", quality=0.5,
                )  # fmt: skip

            taken.setdefault(("an enrolment", kind), []).append(timed(enrol))
            taken.setdefault(("followed", kind), []).append(timed(news[kind].news))
    for gallery in followed.values():
        gallery.close()
    for what in ("read anew", "an enrolment", "followed"):
        plain, encrypted = taken[what, "plain"], taken[what, "encrypted"]
        ratio = np.median(encrypted) / np.median(plain)
        CONSOLE.print(f"  {what}: plain {words(plain)}, encrypted {words(encrypted)}, ratio {ratio:.2f}")


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    options = parser.parse_args()
    for people in options.people:
        with tempfile.TemporaryDirectory() as folder:
            key = Path(folder, "people.key")
            key.write_text(secrets.token_hex(32))
            key.chmod(0o600)
            _measure(Path(folder), people, read_key(key))


if __name__ == "__main__":
    main()
