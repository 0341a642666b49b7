"""``facestream probe``: what does this camera send, and are its faces large enough?"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median
from typing import Annotated, Literal

from cyclopts import Parameter
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table
from rich.text import Text

from engine.cli.output.json_lines import write_lines
from engine.cli.output.overwriting import check_new
from engine.cli.output.plain import plain
from engine.config import DetectConfig, LiveConfig, SourceConfig
from engine.contracts.camera import Camera
from engine.contracts.probed import Probed
from engine.errors import UsageError
from engine.private_file import private_opener
from engine.probe.probe import probe as look
from engine.source.cameras import is_camera
from engine.source.files import without_password
from engine.source.sources import expand_sources
from engine.words.numbers import count
from engine.words.redaction import redact

_LONGEST_SECONDS = 60.0
_STYLES = {"good": "bold green", "small": "yellow", "too_small": "bold red", "no_face": "yellow", "not_looked": ""}


def probe(
    uri: Annotated[str, Parameter(help="A camera's URL, or /dev/video0.")],
    /,
    *,
    crop_uri: Annotated[
        str, Parameter(help="The main stream of the same camera: look at it too, and report what it gains.")
    ] = "",
    credentials: Annotated[Path | None, Parameter(help="File with one line user:password.")] = None,
    transport: Annotated[Literal["tcp", "udp"], Parameter(help="Transport for rtsp://.")] = "tcp",
    seconds: Annotated[float, Parameter(help="How many seconds to look, 60 at most.")] = 5.0,
    detector: Annotated[str, Parameter(help="As for `facestream run`, or none: look for no faces.")] = "auto",
    picture: Annotated[Path | None, Parameter(help="Write the picture with the largest face into this JPEG file.")] = None,
    overwrite: Annotated[bool, Parameter(negative=(), help="Replace an existing --picture.")] = False,
    json: Annotated[
        bool, Parameter(negative=(), help="Print one JSON object instead of text; with --crop-uri a list of two.")
    ] = False,
) -> int:
    """Look at a camera before adding it: codec, size, rate, clock, and how large its faces are.

    For example:

        facestream probe rtsp://192.0.2.10/stream2 --credentials door.txt

        facestream probe rtsp://192.0.2.10/stream1 --picture door.jpg

        facestream probe rtsp://192.0.2.10/stream2 --crop-uri rtsp://192.0.2.10/stream1

        facestream probe /dev/video0 --seconds 10 --json

    Exit code 1: the camera gave no picture; the reason is shown.
    """
    if not 0 < seconds <= _LONGEST_SECONDS:
        raise UsageError(f"--seconds {seconds:g} must be more than 0, and {_LONGEST_SECONDS:g} at most")
    check_new([picture], overwrite=overwrite)
    source = SourceConfig(uri=uri, crop_uri=crop_uri, credentials=str(credentials or ""), transport=transport)
    camera = _camera(source)
    streams = [camera] if camera.main is None else [camera, camera.main]
    detect = None if detector == "none" else DetectConfig(detector=detector)
    with Console(stderr=True, quiet=json).status(Text(f"looking at {plain(camera.shown)} for {seconds:g} s")):
        probed = [look(one, detect, seconds) for one in streams]
    if picture is not None:
        _write(picture, probed[-1].picture)
    if json:
        told = [replace(one, picture=b"") for one in probed]
        write_lines([told if crop_uri else told[0]])
        return 0
    console = Console(highlight=False)
    for one in probed:
        console.print(_table(one))
        if one.advice:
            console.print(Text(one.advice, _STYLES[one.verdict]), soft_wrap=True)
    if crop_uri:
        console.print(Text(_gain_words(*probed)), soft_wrap=True)
    return 0


def _camera(source: SourceConfig) -> Camera:
    if not is_camera(source.uri):
        what = without_password(source.uri)
        raise UsageError(
            f"{what} is not a camera's address: give a URL or /dev/video0; `facestream run --source` reads recordings"
        )
    (camera,) = expand_sources([source], LiveConfig(), _warn)
    assert isinstance(camera, Camera)
    return camera


def _warn(sentence: str) -> None:
    sys.stderr.write(f"facestream: note: {plain(redact(sentence))}\n")


def _write(path: Path, content: bytes) -> None:
    try:
        with open(path, "wb", opener=private_opener) as file:
            file.write(content)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}: choose another file with --picture") from error


def _table(probed: Probed) -> Table:
    table = Table(show_header=False, box=None, pad_edge=False)
    rate = f"{probed.fps:.1f} pictures a second"
    if probed.announced_rate and abs(probed.announced_rate - probed.fps) > 0.1 * probed.announced_rate:
        rate += f" (it says {probed.announced_rate:g})"
    rows = {
        "camera": probed.shown,
        "codec": f"{probed.codec} {probed.profile}".strip() + f", {probed.kbps:.0f} kbit/s",
        "picture": f"{probed.width_px}x{probed.height_px}, {rate}",
        "clock": _clock_words(probed),
        "faces": _face_words(probed),
    }
    for name, words in rows.items():
        table.add_row(name, Text(plain(words)))
    return table


def _gain_words(sub: Probed, main: Probed) -> str:
    times = main.height_px / sub.height_px
    words = f"faces cut from the main stream are {times:.1f} times as large"
    if sub.face_sizes_px:
        size = median(sub.face_sizes_px)
        words += f": {size:.0f} px become {times * size:.0f} px"
    return words + (
        "" if sub.clock == main.clock == "ntp" else "; no clock says which pictures belong together: it is measured"
    )


def _clock_words(probed: Probed) -> str:
    if probed.clock == "arrival":
        return "its packets have no time stamps: pictures are dated on arrival"
    if probed.clock_behind_seconds is None:
        return f"it sent no time of its own within {probed.seconds:.0f} s: pictures are dated on arrival"
    behind = probed.clock_behind_seconds
    return f"it sends its own time (NTP), {abs(behind):.2f} s {'behind' if behind >= 0 else 'ahead of'} this machine's"


def _face_words(probed: Probed) -> str:
    if probed.verdict == "not_looked":
        return "not looked for"
    if not probed.face_sizes_px:
        return f"none in {count(probed.looked_at, 'picture')}"
    low, high = probed.face_sizes_px[0], probed.face_sizes_px[-1]
    span = f"{low:.0f} px" if round(low) == round(high) else f"{low:.0f} to {high:.0f} px"
    return (
        f"in {probed.with_faces} of {count(probed.looked_at, 'picture')}, up to {probed.most_faces} in one, the largest {span}"
    )
