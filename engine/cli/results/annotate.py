"""``facestream annotate``: what was found, drawn into the recording."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from engine.archive.hiding import check_shown
from engine.cli.output.json_lines import JsonOption, write_lines
from engine.cli.output.long_work import check_place, ends_cleanly, progress_bar
from engine.cli.output.outside_runs import check_outside_runs
from engine.cli.output.overwriting import OverwriteOption
from engine.cli.output.saying import say
from engine.cli.run.options import given
from engine.cli.run.view import run_view
from engine.client.results import Run, load_run
from engine.config import LiveConfig, SourceConfig
from engine.config.file import load_config
from engine.contracts.recording import Recording
from engine.errors import SourceError, UsageError
from engine.footage.clip import suffix_for
from engine.footage.video import check_ending
from engine.pipeline.run import run_pipeline
from engine.private_file import make_private_folder
from engine.results.annotate import annotate as annotate_run
from engine.results.tracks_of import places_read, recording_in
from engine.source.cameras import is_camera
from engine.source.sources import expand_sources
from engine.words.lists import some_of
from engine.words.numbers import count


def annotate(
    source: Annotated[
        str, Parameter(help="A recording, a folder of them, pictures such as seq/f%04d.jpg, or a run's directory.")
    ],
    /,
    *,
    out: Annotated[Path, Parameter(name=["--out", "-o"], help="The video, .mp4 or .mkv; for several recordings a folder.")],
    stream: Annotated[str, Parameter(help="For a run: which of its recordings, if it has several.")] = "",
    recording: Annotated[Path | None, Parameter(help="For a run: where the recording is now, if it was moved.")] = None,
    config: Annotated[Path | None, Parameter(help="For a recording: YAML file of `facestream run`.")] = None,
    gallery: Annotated[str | None, Parameter(help="For a recording: gallery file; the user's own by default.")] = None,
    gallery_key: Annotated[str | None, Parameter(help="For a recording: file with the key of that gallery.")] = None,
    profile: Annotated[
        str | None, Parameter(name=["--profile", "-p"], help="For a recording: fast, balanced or thorough.")
    ] = None,
    every: Annotated[int | None, Parameter(help="For a recording: detect on every n-th frame.")] = None,
    show_hidden: Annotated[bool, Parameter(negative=(), help="Do so even if the run was told to hide faces.")] = False,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> int:
    """Draw boxes, names, enhanced faces and the clock into a recording.

    In a recording, faces are found first, as by `facestream run`. In a finished
    run nothing is detected again. It wrote one face a second for most tracks:
    between two of them the box moves evenly, corrected to where the face looks
    the same, and is left out if the next one is more than 4 s away. Green:
    recognised; amber: undecided; white: unknown; blue: nobody to compare with.

    The video looks as a player shows the recording: upright, with square pixels,
    deinterlaced; the sound is copied. A hardware encoder is used if one works,
    else libx264, else mpeg4.

    For example:

        facestream annotate street.mp4 --out street-faces.mp4

        facestream annotate result --stream door --out door-faces.mp4

        facestream annotate result --out videos
    """
    check_outside_runs(out)
    folder = out if out.is_dir() or not out.suffix else None
    if folder is None:
        check_place(out, overwrite=overwrite, read=[Path(source)])
        check_ending(out)
    options = {"config": config, "gallery": gallery, "gallery-key": gallery_key, "profile": profile, "every": every}
    code = 0
    with _run_of(source, stream, recording, options, show_hidden=show_hidden, is_one=folder is None) as (run, chosen):
        if folder is None:
            _check_one(source, chosen, "say which with --stream, or give --out a folder")
        for name in chosen:
            try:
                one = recording_in(run, name, recording, partial(say, aside=True))
                path = out if folder is None else _in_folder(folder, one)
                check_place(path, overwrite=overwrite, read=[*one.files, *places_read(run)])
                code |= _annotate(run, one, path, overwrite=overwrite, json=json)
            except (SourceError, UsageError) as error:
                if len(chosen) == 1:
                    raise
                say(f"{name}: {error}", aside=True)
                code = 1
    return code


def _annotate(run: Run, recording: Recording, path: Path, *, overwrite: bool, json: bool) -> int:
    with progress_bar(path.name) as tell:
        made = annotate_run(run, recording, path, tell, overwrite=overwrite)
    if json:
        facts = {
            "video": str(path), "recording": str(recording.path), "stream": recording.name, "tracks": made.tracks,
            "pictures": made.pictures, "encoder": made.encoder, "trouble": made.trouble,
        }  # fmt: skip
        write_lines([facts])
    else:
        say(f"{path}: {count(made.pictures, 'picture')} with {count(made.tracks, 'track')}, encoded by {made.encoder}")
        if made.trouble:
            say(f"the recording broke off: {made.trouble}", aside=True)
    return 1 if made.trouble else 0


def _in_folder(folder: Path, recording: Recording) -> Path:
    """Return the file for a recording in a folder, which is made.

    Raises:
        UsageError: it cannot be made.
        SourceError: the recording cannot be opened.
    """
    try:
        make_private_folder(folder)
    except OSError as error:
        raise UsageError(f"cannot make the folder {folder}: {error.strerror}") from error
    return folder / f"{recording.name}{suffix_for(recording, exact=True)}"


@contextmanager
def _run_of(
    source: str,
    stream: str,
    moved_to: Path | None,
    options: dict[str, Path | str | int | None],
    *,
    show_hidden: bool,
    is_one: bool,
) -> Iterator[tuple[Run, list[str]]]:
    """Give a finished run and which of its recordings are meant; of recordings make the run first."""
    if (Path(source) / "run.json").is_file():
        if chosen := [f"--{name}" for name, value in options.items() if value is not None]:
            raise UsageError(f"{', '.join(chosen)} only apply to a recording, and {source} is a finished run")
        run = load_run(source)
        check_shown(run.record, show_hidden=show_hidden)
        names = [stream] if stream else sorted(run.inputs)
        if not names:
            raise UsageError(f"{source} read cameras only: there is no recording to draw into")
        if moved_to is not None and len(names) > 1:
            raise UsageError("--recording goes with one recording of the run: say which with --stream")
        yield run, names
        return
    if stream or moved_to is not None:
        raise UsageError(f"--stream and --recording are for the output directory of a run, which {source} is not")
    if is_camera(source):
        raise UsageError(f"{source} is a camera: there is no recording of it to draw into")
    # refuses what is not a recording before any model is loaded
    found = [one for one in expand_sources([SourceConfig(uri=source)], LiveConfig()) if isinstance(one, Recording)]
    if is_one:
        _check_one(source, [one.name for one in found], "give one of them, or give --out a folder")
    with ends_cleanly(), TemporaryDirectory(prefix="facestream-") as folder:
        settings = load_config(None if options["config"] is None else Path(str(options["config"])), given({
            "profile": options["profile"],
            "sources": [{"uri": source}],
            "detect": {"every": options["every"]},
            "verify": {"gallery": options["gallery"], "gallery_key_file": options["gallery-key"]},
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
        yield run, sorted(run.inputs)


def _check_one(source: str, found: Sequence[str], advice: str) -> None:
    if len(found) > 1:
        raise UsageError(f"{source} has {count(len(found), 'recording')}: {advice}: {some_of(found)}")
