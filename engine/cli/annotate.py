"""``facestream annotate``: what was found, drawn into the recording."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from engine.cli.json_lines import JsonOption, write_lines
from engine.cli.long_work import check_place, progress_bar
from engine.cli.overwriting import OverwriteOption
from engine.cli.run_options import given
from engine.cli.run_view import run_view
from engine.cli.saying import say
from engine.client.results import Run, load_run
from engine.config import SourceConfig
from engine.config_file import load_config
from engine.contracts.recording import Recording
from engine.errors import SourceError, UsageError
from engine.pipeline.run import run_pipeline
from engine.results.annotate import annotate as annotate_run
from engine.results.hidden import check_shown
from engine.results.tracks_of import recording_in
from engine.source.cameras import is_camera
from engine.source.files import recordings_of


def annotate(
    source: Annotated[str, Parameter(help="A recording, pictures as seq/f%04d.jpg, or the output directory of a run.")],
    /,
    *,
    out: Annotated[Path, Parameter(name=["--out", "-o"], help="The video to write, as .mp4 or .mkv.")],
    stream: Annotated[str, Parameter(help="Of a run: which of its recordings, where it has several.")] = "",
    recording: Annotated[Path | None, Parameter(help="Of a run: where the recording is now, if it was moved.")] = None,
    config: Annotated[Path | None, Parameter(help="Of a recording: YAML file of `facestream run`.")] = None,
    gallery: Annotated[Path | None, Parameter(help="Of a recording: gallery file; the user's own by default.")] = None,
    profile: Annotated[
        str | None, Parameter(name=["--profile", "-p"], help="Of a recording: fast, balanced or thorough.")
    ] = None,
    every: Annotated[int | None, Parameter(help="Of a recording: detect on every n-th frame.")] = None,
    show_hidden: Annotated[bool, Parameter(negative=(), help="Also where the run was told to hide faces.")] = False,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> int:
    """Draw boxes, names, enhanced faces and the clock into a recording.

    Of a recording its faces are found first, as `facestream run` does. Of a
    finished run nothing is computed again: boxes move evenly between the faces
    that it wrote, of most tracks one a second, and are left out where the next one
    is more than 4 s away. Green: recognised; amber: undecided; white: unknown;
    blue: nobody was looked for.

    The picture comes out as a player shows it: upright, with square pixels,
    without combs; the sound is copied. A hardware encoder is used where one works,
    else libx264, else mpeg4.

    For example:

        facestream annotate street.mp4 --out street-faces.mp4

        facestream annotate result --stream door --out door-faces.mp4
    """
    check_place(out, overwrite=overwrite)
    options = {"config": config, "gallery": gallery, "profile": profile, "every": every}
    with (
        _run_of(source, stream, recording, options, show_hidden=show_hidden) as (run, chosen),
        progress_bar(out.name) as tell,
    ):
        made = annotate_run(run, chosen, out, tell)
    if json:
        facts = {
            "video": str(out), "recording": str(chosen.path), "stream": chosen.name, "tracks": made.tracks,
            "pictures": made.pictures, "encoder": made.encoder, "trouble": made.trouble,
        }  # fmt: skip
        write_lines([facts])
    else:
        say(f"{out}: {made.pictures} pictures with {made.tracks} tracks, encoded by {made.encoder}")
        if made.trouble:
            say(f"the recording broke off: {made.trouble}", aside=True)
    return 1 if made.trouble else 0


@contextmanager
def _run_of(
    source: str, stream: str, moved_to: Path | None, options: dict[str, Path | str | int | None], *, show_hidden: bool
) -> Iterator[tuple[Run, Recording]]:
    """Give a finished run and the recording of it that is meant; of a recording make the run first."""
    if (Path(source) / "run.json").is_file():
        if chosen := [f"--{name}" for name, value in options.items() if value is not None]:
            raise UsageError(f"{', '.join(chosen)}: for a recording only; {source} is a finished run")
        run = load_run(source)
        check_shown(run.record, show_hidden=show_hidden)
        yield run, recording_in(run, stream or _only_stream(run), moved_to)
        return
    if stream or moved_to is not None:
        raise UsageError(f"--stream and --recording are for the output directory of a run, and {source} is none")
    if is_camera(source):
        raise UsageError(f"{source} is a camera: there is no recording of it to draw into")
    found = recordings_of(SourceConfig(uri=source))
    if len(found) != 1:
        raise UsageError(f"{source} holds {len(found)} recordings: give one of them")
    with _ends_cleanly(), TemporaryDirectory(prefix="facestream-") as folder:
        settings = load_config(None if options["config"] is None else Path(str(options["config"])), given({
            "profile": options["profile"],
            "sources": [{"uri": source}],
            "detect": {"every": options["every"]},
            "verify": {"gallery": None if options["gallery"] is None else str(options["gallery"])},
            "publish": {"endpoint": "", "replay": ""},
            "output": {"directory": f"{folder}/result", "report": False},
        }))  # fmt: skip
        check_shown({"config": {"publish": {"redact": settings.publish.redact}}}, show_hidden=show_hidden)
        with run_view(Console(stderr=True), None, live=False) as observer:
            result = run_pipeline(settings, observer)
        if result.outcome == "drained":
            raise KeyboardInterrupt
        if result.failed_streams and not result.counters.get("frames", 0):
            raise SourceError(result.failed_streams[0].detail, "not_a_video")
        run = load_run(settings.output.directory)
        (name,) = run.inputs
        yield run, recording_in(run, name)


@contextmanager
def _ends_cleanly() -> Iterator[None]:
    """Let a signal end the block as Ctrl-C does, so that no pictures of faces are left behind."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _only_stream(run: Run) -> str:
    if len(run.inputs) == 1:
        return next(iter(run.inputs))
    streams = sorted(run.inputs)
    if not streams:
        raise UsageError(f"{run.directory} read cameras only: there is no recording to draw into")
    some = ", ".join(streams[:10]) + (", …" if len(streams) > 10 else "")
    raise UsageError(f"{run.directory} has {len(streams)} recordings: say which with --stream: {some}")
