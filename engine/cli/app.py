"""The command line. The parser and the commands are imported when they are used, so that ``--help`` answers at once."""

from __future__ import annotations

import io
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, NoReturn

from engine import __version__
from engine.cli.empty_words import empty_word
from engine.cli.first_page import HELP, VERSION, first_page
from engine.cli.spelling import spelt_as_here
from engine.cli.standard_streams import give_up_output, open_closed_streams

if TYPE_CHECKING:
    from cyclopts import App

COMMANDS = {
    "run": ("engine.cli.run.run:run", "Process cameras or recordings: enhanced faces, identity scores."),
    "serve": ("engine.cli.service.serve:serve", "Run as a service, whose cameras come and go."),
    "archive": ("engine.cli.run.archive:archive_app", "Process many recordings on all cores, of one machine or many."),
    "ctl": ("engine.cli.service.ctl:ctl_app", "Query or control a running service."),
    "fleet": ("engine.cli.service.fleet:fleet_app", "Distribute cameras over many machines."),
    "probe": ("engine.cli.setup.probe:probe", "Try a camera before adding it: what it sends, its faces' sizes."),
    "report": ("engine.cli.results.report:report", "Make a run's page again, or a PDF document."),
    "watch": ("engine.cli.publish.watch:watch", "Subscribe to a run and show, or save, what it sends."),
    "bridge": ("engine.cli.publish.bridge:bridge", "Carry what a site publishes to a message broker, each message once."),
    "clip": ("engine.cli.results.clip:clip", "Cut the moment of a track out of its recording."),
    "annotate": ("engine.cli.results.annotate:annotate", "Draw boxes, names and enhanced faces into a recording."),
    "export": ("engine.cli.results.export:export", "Write tracks, faces and vectors of a run as a table."),
    "replay": ("engine.cli.publish.replay:replay", "Publish the messages of a finished run again."),
    "enrol": ("engine.cli.gallery.enrol:enrol", "Add pictures of a person to the gallery."),
    "gallery": ("engine.cli.gallery.gallery:gallery_app", "List, rename, remove or export enrolled people."),
    "search": ("engine.cli.desk.search:search", "Search finished runs for a face."),
    "compare": ("engine.cli.desk.compare:compare", "Compare two faces: photographs, or tracks of finished runs."),
    "people": ("engine.cli.desk.people:people", "Show who was seen across files and cameras; name, merge, split."),
    "keys": ("engine.cli.publish.keys:keys_app", "Manage who may read what is published; sign results."),
    "erase": ("engine.cli.desk.erase:erase", "Take one person out of everything that was kept."),
    "expire": ("engine.cli.results.expire:expire", "Delete what finished runs have kept for too long."),
    "audit": ("engine.cli.results.audit:audit_app", "Check that a result is as it was written; show who did what."),
    "reproduce": (
        "engine.cli.results.reproduce:reproduce",
        "Make one track of a result again from its recording, and compare.",
    ),
    "tokens": ("engine.cli.service.tokens:tokens_app", "Manage who may use the service over HTTP."),
    "enhance": ("engine.cli.pictures.enhance:enhance", "Enlarge single pictures."),
    "mark": ("engine.cli.pictures.mark:mark_app", "Check pictures for the marks of enhancement, or sign one."),
    "sample": ("engine.cli.setup.sample:sample", "Render a short clip with known ground truth."),
    "models": ("engine.cli.setup.models:models_app", "List models, or fetch one."),
    "licences": ("engine.cli.setup.licences:licences", "List what is installed, with licences; write a bill of materials."),
    "doctor": ("engine.cli.setup.doctor:doctor", "Say what works on this machine and what is missing."),
    "check": ("engine.cli.setup.check:check", "Check a configuration file and show its effective settings."),
}
"""Name: (import path, one line of help)."""
_SYSTEMS = {"darwin": "macOS", "win32": "Windows"}
_LINUX_ONLY = (
    "facestream runs on Linux, and this is {}: use a Linux machine, a container or WSL; what it publishes and writes can be "
    "read here too, with `import facestream` in Python"
)

_WRITES = frozenset([
    "audit", "compare", "enhance", "enrol", "erase", "expire", "export", "gallery", "keys", "licences", "mark", "models",
    "people", "report", "sample", "search", "tokens",
])  # fmt: skip
"""Commands that write files in this process, and do not look after signals themselves."""


def build_app(arguments: list[str]) -> App:
    """Return the command line.

    Args:
        arguments: the command that they name describes itself, in its docstring; the others are not imported, and have only
            their line in ``COMMANDS``.
    """
    from cyclopts import App

    from engine.help_page import MORE, Compact

    compact = Compact(more=MORE in arguments)
    app = compact.app = App(
        name="facestream",
        help_format="plaintext",
        help_flags=[*HELP, MORE],
        help_formatter=compact,
        version_flags=[],
        result_action="return_value",
        exit_on_error=False,
        print_error=False,
        suppress_keyboard_interrupt=False,
    )
    for order, (name, (path, line)) in enumerate(COMMANDS.items()):
        own = {} if name in arguments[:1] else {"help": line}
        app.command(path, name=name, sort_key=order, **own)
    app.register_install_completion_command(help="Let the shell complete commands and options; then open a new shell.")
    return app


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 done, 1 failed, 2 wrong usage, 130 interrupted.

    Args:
        arguments: without the program's name; None for those of the process.
    """
    open_closed_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as of standard error: paths need not be UTF-8
    code = 0
    try:
        code = _run(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        give_up_output()
        code = 141
    except OSError as error:
        from engine.cli.complaints import complaint

        give_up_output()
        code = code or _complain(*complaint(error))
    sys.exit(code)


def _run(given: list[str]) -> int:
    arguments = spelt_as_here(given)
    if not arguments or arguments[0] in HELP:
        sys.stdout.write(first_page(COMMANDS))
        return 0
    if VERSION in arguments:
        sys.stdout.write(f"{__version__}\n")
        return 0
    if sentence := empty_word(arguments):
        return _complain(sentence, 2)
    if sys.platform != "linux":
        return _complain(_LINUX_ONLY.format(_SYSTEMS.get(sys.platform, sys.platform)), 1)
    if arguments[0] == "run" and _reads_recordings(arguments[1:]):
        from engine.pipeline.bodies import prepare_for_recordings

        prepare_for_recordings()
    from cyclopts import CycloptsError

    from engine.cli.complaints import complaint
    from engine.errors import FacestreamError
    from engine.misuse import misuse
    from engine.words.redaction import redact

    try:
        with _ending(arguments[0]):
            result = build_app(arguments)(arguments)
    except FacestreamError as error:
        return _complain(*complaint(error))
    except CycloptsError as error:
        return _complain(redact(misuse(error, "facestream")), 2)
    except BrokenPipeError:
        raise
    except Exception as error:
        if os.environ.get("FACESTREAM_TRACEBACK"):
            raise
        return _complain(*complaint(error))
    return result if isinstance(result, int) else 0


def _ending(command: str) -> AbstractContextManager[None]:
    """Let SIGTERM and SIGHUP end what writes files by itself as Ctrl-C does."""
    if command not in _WRITES:
        return nullcontext()
    from engine.cli.output.long_work import ends_cleanly

    return ends_cleanly()


def _reads_recordings(options: list[str]) -> bool:
    """Whether a run is likely to begin, over recordings alone; where that is wrong it only takes a little longer."""
    asks = {*HELP, "--help-more"} & set(options)
    others = any("://" in word or word.startswith("/dev/") or word.endswith((".yaml", ".yml")) for word in options)
    return bool(options) and not asks and not others


def _complain(sentence: str, code: int) -> int:
    from engine.cli.output.plain import plain_lines

    sys.stderr.write(f"facestream: {plain_lines(sentence)}\n")
    return code
