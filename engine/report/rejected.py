"""Perhaps faces: what the second look did not believe, as small pictures in a closed section."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from engine.archive.rejected import RejectedLine, rejected_lines
from engine.report.figures import Pictures, figure
from engine.words.numbers import count
from engine.words.times import clock, wall_clock

ANCHOR = "rejected"
"""Of the section's text: a browser that goes there opens the section."""


def are_there(directory: Path) -> bool:
    """Whether a run has any whose picture is still there.

    Raises:
        PublishError: ``rejected.jsonl`` cannot be read.
    """
    return any(line.picture(directory) is not None for line in rejected_lines(directory))


def rejected_section(directory: Path, pictures: Pictures, rejected: int, recordings: Collection[str]) -> str:
    """Return the section; empty where no picture is there, as of an older run.

    Args:
        directory: of the run.
        pictures: of the page.
        rejected: tracks that were rejected in all, as far as that is known.
        recordings: streams that are no cameras.

    Raises:
        PublishError: ``rejected.jsonl`` cannot be read.
    """
    lines = sorted(rejected_lines(directory), key=lambda line: (-line.score, line.stream, line.pts_seconds))
    shown = list(filter(None, (_figure(pictures, line, line.stream not in recordings) for line in lines)))
    if not shown:
        return ""
    of = count(max(rejected, len(shown)), "track that was", "tracks that were")
    said = (
        f"What came nearest to a face, of {of} rejected as none; the likeliest first, each in its likeliest look "
        "(score from 0 to 1), with the pixels of the source, and compared with nobody."
    )
    title = f"Perhaps faces: {count(len(shown), 'place that was', 'places that were')} not believed"
    body = f'<p class="soft" id="{ANCHOR}">{said}</p><div class="grid">{"".join(shown)}</div>'
    return f'<details><summary>{title}</summary><div class="body">{body}</div></details>'


def _figure(pictures: Pictures, line: RejectedLine, is_live: bool) -> str:
    said = [f"{line.score:.2f} · {clock(line.pts_seconds)}", line.stream]
    if line.recorded_ns is not None:
        said.insert(1, wall_clock(line.recorded_ns))
    elif is_live:
        said[0] = f"{line.score:.2f} · {wall_clock(line.captured_ns)}"
    about = f"frame {line.frame_index}, {line.box[2]:.0f} px wide, seen {count(line.looks, 'time')}"
    img = pictures.img(next(iter(line.files.values()), None), "perhaps a face", about)
    return figure(img, "", "\n".join(said))
