"""A page that shows the pictures that were not enrolled, each with the reason under it. The gallery itself keeps none."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from engine.decode.still import read_content, read_still
from engine.enrolment.enrol import EnrolResult
from engine.errors import PictureError, PublishError
from engine.pictures.encode import small_jpeg
from engine.whole_file import write_private
from engine.words.numbers import count
from engine.words.text import readable

_LONGEST_PX = 320
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Pictures that were not enrolled</title>
<style>
:root { color-scheme: light dark }
body { font: 15px sans-serif; margin: 1.5em; overflow-wrap: anywhere }
main { display: flex; flex-wrap: wrap; gap: 1.5em; align-items: flex-start }
figure { margin: 0; width: min(320px, 100%); break-inside: avoid } img { max-width: 100% } figcaption { margin-top: .5em }
</style>
"""


def write_sheet(path: Path, name: str, results: Sequence[EnrolResult]) -> int:
    """Write the page, for its owner alone; return how many pictures are on it.

    Args:
        path: ``.html``; replaced as a whole, or not at all.
        name: whose pictures they are.
        results: of an enrolment, whose pictures are still there.

    Raises:
        PublishError: it cannot be written.
    """
    left_out = [one for one in results if one.outcome in ("refused", "quarantined")]
    figures = "".join(map(_figure, left_out)) or "<p>Every picture was enrolled.</p>"
    head = f"<h1>Pictures of <bdi>{html.escape(readable(name))}</bdi> that were not enrolled</h1>\n"
    said = f"<p>{len(left_out):,} of {count(len(results), 'picture')}</p>\n" if left_out else ""
    try:
        write_private(path, f"{_PAGE}{head}{said}<main>{figures}</main>\n".encode("utf-8", "replace"))
    except OSError as error:
        raise PublishError(f"cannot write the sheet {path}: {error.strerror}; choose another file with --sheet") from error
    return len(left_out)


def _figure(result: EnrolResult) -> str:
    outcome = "set apart" if result.outcome == "quarantined" else result.outcome
    words = f"<b><bdi>{html.escape(readable(Path(result.path.name)))}</bdi>: {outcome}</b><br>{html.escape(result.sentence)}"
    picture = base64.b64encode(_small(result.path)).decode()
    seen = f'<img src="data:image/jpeg;base64,{picture}" alt="">' if picture else ""
    return f"<figure>{seen}<figcaption>{words}</figcaption></figure>\n"


def _small(path: Path) -> bytes:
    """Return the picture as a small JPEG; nothing where it cannot be read."""
    with suppress(PictureError, OSError):
        bgr = read_still(path, read_content(path)).bgr
        return small_jpeg(bgr, _LONGEST_PX, quality=95)
    return b""
