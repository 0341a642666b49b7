"""The first help page of the command line. It is printed without the parser, which takes longer to load than to answer."""

from __future__ import annotations

from collections.abc import Mapping

ABOUT = """\
Attach cameras or recordings, and get enhanced faces with identity-verification
scores on a ZeroMQ socket."""

EXAMPLES = """\
For example:
  facestream enrol "Ada Lovelace" ada-1.jpg ada-2.heic
  facestream run --source 'archive/*.mkv' --out result
  facestream run -s rtsp://192.0.2.10/1 --publish tcp://127.0.0.1:5556

facestream COMMAND --help says more of each; --install-completion lets the shell
complete them. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""

HELP, VERSION = ("--help", "-h"), "--version"


def first_page(commands: Mapping[str, tuple[str, str]]) -> str:
    """Return what ``facestream --help`` prints, in lines of at most 80 columns.

    Args:
        commands: by name, as ``COMMANDS`` in ``engine.cli.app``.
    """
    width = max(map(len, commands))
    listed = "\n".join(f"  {name:{width}}  {line}" for name, (_, line) in commands.items())
    return f"Usage: facestream COMMAND\n\n{ABOUT}\n\nCommands:\n{listed}\n\n{EXAMPLES}\n"
