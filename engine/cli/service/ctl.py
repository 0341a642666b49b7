"""``facestream ctl``: queries and controls a running service."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from cyclopts import App, Parameter

from engine.cli.output.overwriting import check_new
from engine.cli.service.ctl_people import people_app
from engine.cli.service.ctl_ways import OWN, Where, answered, asked, show
from engine.config import SourceConfig
from engine.config.errors import explain
from engine.contracts.probed import Probed
from engine.control import answers, verbs
from engine.control.schema import control_schema
from engine.errors import UsageError
from engine.private_file import private_opener

_ABOUT = """\
Ask a running service, or tell it what to do.

For example:

    facestream ctl status
    facestream ctl streams add rtsp://192.0.2.10/stream1 --name door
    facestream ctl streams list --json
    facestream ctl streams change door --set detect_fps=5
    facestream ctl streams remove door
    facestream ctl people enrol "Ada Lovelace" ada-1.jpg ada-2.jpg
    facestream ctl settings set crop.min_size_px=16
    facestream ctl status --endpoint tcp://192.0.2.5:5558 --key desk.key
    facestream ctl drain

Exit code 1: not done. 2: wrong usage, or no service answers.
"""

ctl_app = App(name="ctl", help=_ABOUT, help_epilogue="", help_format="plaintext")
streams_app = App(name="streams", help="Cameras.", help_epilogue="", help_format="plaintext")
settings_app = App(
    name="settings", help="Settings that can be changed while it runs.", help_epilogue="", help_format="plaintext"
)
for _app in (streams_app, people_app, settings_app):
    ctl_app.command(_app)

Name = Annotated[str, Parameter(help="Name of the stream.")]
Set = Annotated[
    list[str] | None,
    Parameter(name="--set", negative=(), help="KEY=VALUE as in a configuration file; repeatable; KEY= sets null."),
]


@streams_app.command(name="list")
def list_streams(*, where: Where = OWN) -> int:
    """Show all cameras and their states.

    For example:

        facestream ctl streams list --json
    """
    return show(asked(where, verbs.ListStreams(), answers.Streams), where)


@streams_app.command(name="add")
def add_stream(
    uri: Annotated[str, Parameter(help="rtsp://, rtsps://, http(s)://, srt:// or rtmp:// address.")],
    /,
    *,
    name: Annotated[str, Parameter(help="By default made from the address.")] = "",
    credentials: Annotated[
        str,
        Parameter(help="Name of a file in the folder `credentials` of the service's directory; NAME.hosts lists its hosts."),
    ] = "",
    set_: Set = None,
    paused: Annotated[bool, Parameter(negative=(), help="Do not read it yet.")] = False,
    where: Where = OWN,
) -> int:
    """Attach a camera. With `-` the address is read from standard input, so that a password in it is in no process list.

    For example:

        facestream ctl streams add rtsp://192.0.2.10/stream1 --name door --set transport=udp
    """
    source = _source(uri, {"name": name, "credentials": credentials}, set_)
    return show(asked(where, verbs.AddStream(source=source, paused=paused), answers.Stream), where)


@streams_app.command(name="change")
def change_stream(name: Name, /, *, set_: Set = None, where: Where = OWN) -> int:
    """Give a camera other settings; no other camera is disturbed.

    For example:

        facestream ctl streams change door --set detect_fps=5 --set rotate=180
    """
    changes = _changes(set_)
    if not changes:
        raise UsageError("nothing to change: give at least one --set KEY=VALUE")
    return show(asked(where, verbs.ChangeStream(name=name, changes=changes), answers.Stream), where)


@streams_app.command(name="pause")
def pause_stream(name: Name, /, *, where: Where = OWN) -> int:
    """Stop reading a camera, but keep its settings.

    For example:

        facestream ctl streams pause door
    """
    return show(asked(where, verbs.PauseStream(name=name), answers.Stream), where)


@streams_app.command(name="resume")
def resume_stream(name: Name, /, *, where: Where = OWN) -> int:
    """Read a paused camera again.

    For example:

        facestream ctl streams resume door
    """
    return show(asked(where, verbs.ResumeStream(name=name), answers.Stream), where)


@streams_app.command(name="remove")
def remove_stream(name: Name, /, *, where: Where = OWN) -> int:
    """Forget a camera.

    For example:

        facestream ctl streams remove door
    """
    return show(asked(where, verbs.RemoveStream(name=name), answers.Done), where)


@ctl_app.command
def probe(
    uri: Annotated[str, Parameter(help="Address of a camera, or - for standard input.")],
    /,
    *,
    seconds: Annotated[float, Parameter(help="How many seconds to look, 1 to 20.")] = 4.0,
    credentials: Annotated[str, Parameter(help="As for `ctl streams add`.")] = "",
    set_: Set = None,
    picture: Annotated[
        Path | None, Parameter(help="Write one of its pictures to this JPEG file (none with publish.redact: vectors).")
    ] = None,
    overwrite: Annotated[bool, Parameter(negative=(), help="Replace an existing --picture.")] = False,
    where: Where = OWN,
) -> int:
    """Look at a camera without adding it: what it sends, and how large the faces are.

    For example:

        facestream ctl probe rtsp://192.0.2.10/stream2
    """
    if not 1.0 <= seconds <= verbs.MOST_PROBE_SECONDS:
        raise UsageError(f"--seconds {seconds:g} must be from 1 to {verbs.MOST_PROBE_SECONDS:g}")
    check_new([picture], overwrite=overwrite)
    source = _source(uri, {"credentials": credentials}, set_)
    found = asked(where, verbs.Probe(source=source, seconds=seconds), Probed, more_seconds=seconds + 15.0)
    if picture is not None and found.picture:
        with open(picture, "wb", opener=private_opener) as file:
            file.write(found.picture)
    return show(found, where)


@ctl_app.command
def status(*, where: Where = OWN) -> int:
    """Show the state of the service.

    For example:

        facestream ctl status
    """
    return show(asked(where, verbs.GetStatus(), answers.Status), where)


@settings_app.command(name="show")
def show_settings(*, where: Where = OWN) -> int:
    """Show the settings that can be changed.

    For example:

        facestream ctl settings show
    """
    return show(asked(where, verbs.GetSettings(), answers.Settings), where)


@settings_app.command(name="set")
def set_settings(
    *changes: Annotated[str, Parameter(help="SECTION.KEY=VALUE, or profile=NAME; KEY= returns to the file's value.")],
    where: Where = OWN,
) -> int:
    """Change settings; a new run begins with them, within seconds.

    For example:

        facestream ctl settings set crop.min_size_px=16 profile=thorough
    """
    if not changes:
        raise UsageError("nothing to change: give at least one SECTION.KEY=VALUE")
    return show(asked(where, verbs.ChangeSettings(changes=_changes(list(changes))), answers.Settings), where)


@ctl_app.command(name="log-level")
def log_level(level: Literal["error", "warning", "info"], /, *, where: Where = OWN) -> int:
    """Set the lowest level that is logged from now on.

    For example:

        facestream ctl log-level warning
    """
    return show(asked(where, verbs.SetLogLevel(level=level), answers.Done), where)


@ctl_app.command
def drain(*, where: Where = OWN) -> int:
    """Finish what is in hand, and stop the service.

    For example:

        facestream ctl drain
    """
    return show(asked(where, verbs.Drain(), answers.Done), where)


@ctl_app.command
def schema() -> int:
    """Print the JSON Schema of the protocol; no service is needed.

    For example:

        facestream ctl schema > control.schema.json
    """
    sys.stdout.write(control_schema().decode())
    return 0


def _source(uri: str, named: dict[str, str], changes: list[str] | None) -> SourceConfig:
    address = sys.stdin.readline().strip() if uri == "-" else uri
    tree = {"uri": address, **{key: value for key, value in named.items() if value}, **_changes(changes)}
    try:
        return msgspec.convert({key: value for key, value in tree.items() if value is not None}, SourceConfig)
    except msgspec.ValidationError as error:
        raise UsageError(explain(str(error), SourceConfig, None, "")) from error


def _changes(given: list[str] | None) -> dict[str, Any]:
    return dict(answered(one) for one in given or ())
