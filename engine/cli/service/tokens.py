"""``facestream tokens``: who may use the service over HTTP."""

from __future__ import annotations

import sys
from pathlib import Path
from shlex import quote
from typing import Annotated, Literal

from cyclopts import App, Parameter
from platformdirs import user_state_path
from rich.console import Console

from engine.cli.output.json_lines import write_lines
from engine.cli.output.saying import say
from engine.cli.output.tables import Column, Rows
from engine.cli.service.ctl_ways import check_that_one_listens
from engine.errors import ConfigError
from engine.service.directory import web_endpoint
from engine.web.asked_link import AskedLink
from engine.web.tokens import ROLES, Entry, TokenFolder
from engine.words.numbers import count
from engine.words.times import to_the_minute

DirectoryOption = Annotated[Path | None, Parameter(help="The service's serve.directory; the user's own by default.")]
JsonOption = Annotated[bool, Parameter(negative=(), help="Print JSON, for programs; `list` shows no tokens.")]
Name = Annotated[str, Parameter(help="Its owner: letters, digits, dot, _ and -.")]
Roles = Annotated[
    tuple[Literal["view", "operate", "enrol"], ...],
    Parameter(consume_multiple=True, negative="", help="What it allows."),
]

tokens_app = App(name="tokens", help="Manage who may use the service over HTTP.", help_epilogue="", help_format="plaintext")


@tokens_app.command
def new(
    name: Name,
    /,
    *,
    roles: Roles = ("view",),
    certificate: Annotated[
        bool, Parameter(negative=(), help="Make no token: a client certificate with this common name takes its place.")
    ] = False,
    directory: DirectoryOption = None,
    json: JsonOption = False,
) -> int:
    """Make a token, and show it once.

    view: look at everything; operate: streams, settings, drain; enrol: people.
    A running service accepts it at once. Only its hash is kept.

    For example:

        facestream tokens new kiosk

        facestream tokens new admin --roles view operate enrol

        facestream tokens new guard-pc --roles view --certificate
    """
    folder = _opened(directory)
    token = folder.add(name, roles, certificate=certificate)
    if json:
        told = {"name": name, "roles": roles, "folder": str(folder.path)} | ({"token": token} if token else {})
        write_lines([told])
    elif certificate:
        say(f"whoever presents a certificate with the name {name} may {', '.join(roles)}", aside=True)
    else:
        sys.stdout.write(f"{token}\n")
        say(f"the only copy of the token of {name}, which may {', '.join(roles)}: log in with it, or send it as", aside=True)
        say("`Authorization: Bearer TOKEN`", aside=True)
        if missing := [role for role in ROLES if role not in roles]:
            say(f"it may not {' or '.join(missing)}: --roles {' '.join(ROLES)} makes one that may do all", aside=True)
    return 0


@tokens_app.command
def link(*, directory: DirectoryOption = None, json: JsonOption = False) -> int:
    """Make a link that opens the console in one browser, once, within 15 minutes.

    That browser may do everything until it logs out or the service ends. Anybody
    who may write to the service's directory can make a link, like a token, over
    SSH too.

    Exit code 1: no service answers there.

    For example:

        facestream tokens link
    """
    folder = _opened(directory)
    check_that_one_listens(web_endpoint(folder.path.parent), "--directory")  # one that was killed has left its address
    url = AskedLink(folder.path).make()
    if json:
        write_lines([{"link": url, "folder": str(folder.path)}])
    else:
        sys.stdout.write(f"{url}\n")
        say("opens the console in one browser, once, within 15 minutes", aside=True)
    return 0


@tokens_app.command(name="list")
def list_tokens(*, directory: DirectoryOption = None, json: JsonOption = False) -> int:
    """Show who may do what.

    For example:

        facestream tokens list --json
    """
    folder = _opened(directory)
    entries = folder.entries()
    if folder.complaints:
        raise ConfigError(folder.complaints[0])
    if json:
        for entry in entries:
            told = {"name": entry.name, "roles": entry.roles, "certificate": entry.certificate, "made": entry.made}
            write_lines([told])
        return 0
    if entries:
        Console().print(_table(entries))
    say(f"{count(len(entries), 'token')} in {folder.path}", aside=True)
    return 0


@tokens_app.command
def revoke(name: Name, /, *, directory: DirectoryOption = None, json: JsonOption = False) -> int:
    """Revoke a token: a running service refuses it at once, and ends its sessions.

    For example:

        facestream tokens revoke kiosk
    """
    folder = _opened(directory)
    folder.revoke(name)
    if json:
        write_lines([{"revoked": name, "folder": str(folder.path)}])
    else:
        say(f"revoked {name}: a service that runs in {quote(str(folder.path.parent))} refuses it at once", aside=True)
    return 0


def _opened(directory: Path | None) -> TokenFolder:
    found = directory or user_state_path("facestream", appauthor=False)
    return TokenFolder(found.expanduser() / "tokens")


def _table(entries: tuple[Entry, ...]) -> Rows:
    columns = [Column("name"), Column("may"), Column("by", "word"), Column("made (UTC)", "word")]
    rows = [
        (entry.name, ", ".join(entry.roles), "certificate" if entry.certificate else "token", to_the_minute(entry.made))
        for entry in entries
    ]
    return Rows(columns, rows)
