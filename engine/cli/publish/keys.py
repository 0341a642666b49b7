"""``facestream keys``: who may read what the engine publishes."""

from __future__ import annotations

import sys
from pathlib import Path
from shlex import quote
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console

from engine.cli.output.json_lines import JsonOption, write_lines
from engine.cli.output.saying import say
from engine.cli.output.tables import Column, Rows
from engine.cli.publish.keys_sign import sign_app
from engine.errors import ConfigError
from engine.keys.files import Client, ControlRole, shown_as_file, write_key
from engine.keys.folder import KeyFolder, default_folder
from engine.words.numbers import count
from engine.words.times import to_the_minute

FolderOption = Annotated[Path | None, Parameter(help="Folder of keys; the user's own by default.")]
Name = Annotated[str, Parameter(help="The client's name: letters, digits, dot, _ and -.")]

keys_app = App(
    name="keys", help="Manage who may read what is published; sign results.", help_epilogue="", help_format="plaintext"
)
keys_app.command(sign_app)


@keys_app.command
def new(
    name: Name,
    /,
    *,
    topics: Annotated[
        tuple[str, ...],
        Parameter(consume_multiple=True, negative="", help="What it may read, such as v1/face/door/; everything by default."),
    ] = (),
    control: Annotated[
        tuple[ControlRole, ...],
        Parameter(
            consume_multiple=True, negative="", help="What it may do with a service: view, operate, enrol; by default nothing."
        ),
    ] = (),
    out: Annotated[Path | None, Parameter(name=["--out", "-o"], help="The client's file; NAME.key by default.")] = None,
    print_it: Annotated[
        bool, Parameter(name="--print", negative=(), help="Print the client's file instead of writing it.")
    ] = False,
    folder: FolderOption = None,
    json: JsonOption = False,
) -> int:
    """Make a key for a client, and its file, which holds all that it needs.

    Hand the file to the person who runs the client so that nobody else can read it:
    its secret is nowhere else. A running engine admits the client at once.

    For example:

        facestream keys new kiosk

        facestream keys new door-pc --topics v1/face/door/ v1/stream/door/ v1/end/

        facestream keys new desk --control view operate

        facestream keys new kiosk --folder /etc/facestream/keys --out ~/kiosk.key

        facestream run -s street.mp4 --publish tcp://0.0.0.0:5556 --keys /etc/facestream/keys

        facestream watch tcp://192.0.2.5:5556 --key kiosk.key
    """
    opened, file = _opened(folder), out or Path(f"{name}.key")
    if print_it and (json or out):
        why = "--json never shows a secret, and --print shows it" if json else "--print and --out do not go together"
        raise ConfigError(f"{why}: leave one of them out")
    if not print_it and file.exists():
        raise ConfigError(f"{file} exists: name another file with --out, or move it away")
    key = opened.add(name, topics, control)
    if print_it:
        sys.stdout.write(shown_as_file(key).decode())
        return 0
    try:
        write_key(file, key)
    except OSError as error:
        opened.revoke(name)
        raise ConfigError(f"cannot write {file}: {error.strerror}; no key was made") from error
    if json:
        told = {"name": name, "public": key.public, "topics": key.topics, "file": str(file), "folder": str(opened.path)}
        write_lines([told])
    else:
        say(f"wrote {file}, the only copy of {name}'s secret; it may read {', '.join(key.topics)}")
        if control:
            say(f"it may {', '.join(control)} at the `serve.control` of a service with `serve.keys: {opened.path}`")
        say(f"let it in with `--keys {quote(str(opened.path))}`; it connects with `--key {quote(file.name)}`")
    return 0


@keys_app.command(name="list")
def list_keys(*, folder: FolderOption = None, json: JsonOption = False) -> int:
    """Show who may read what.

    For example:

        facestream keys list

        facestream keys list --folder /etc/facestream/keys --json
    """
    opened = _opened(folder)
    opened.server()
    clients = opened.clients()
    if json:
        for client in clients:
            write_lines([client])
        return 0
    if clients:
        Console().print(_table(clients))
    say(f"{count(len(clients), 'client')} in {opened.path}")
    return 0


@keys_app.command
def revoke(name: Name, /, *, folder: FolderOption = None, json: JsonOption = False) -> int:
    """Revoke a client's key: a running engine disconnects it within a second.

    For example:

        facestream keys revoke kiosk
    """
    opened = _opened(folder)
    opened.revoke(name)
    if json:
        write_lines([{"revoked": name, "folder": str(opened.path)}])
    else:
        say(f"revoked {name}: running engines that use {opened.path} disconnect it within a second")
    return 0


def _opened(folder: Path | None) -> KeyFolder:
    return KeyFolder(folder or default_folder())


def _table(clients: list[Client]) -> Rows:
    columns = [
        Column("name"),
        Column("may read"),
        Column("may ask"),
        Column("public key", "word"),
        Column("made (UTC)", "word"),
    ]
    rows = [
        (
            client.name,
            "\n".join(client.topics),
            "\n".join(client.control),
            f"{client.public[:8]}…",
            to_the_minute(client.made),
        )
        for client in clients
    ]
    return Rows(columns, rows)
