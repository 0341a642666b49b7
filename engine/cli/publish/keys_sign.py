"""``facestream keys sign``: keys that sign what a run has written."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Annotated

from cyclopts import App, Parameter

from engine.cli.output.json_lines import JsonOption, write_lines
from engine.cli.output.saying import say
from engine.keys.signing import make_signing_key, public_key

sign_app = App(name="sign", help="Make a key that signs results, or show one.", help_epilogue="", help_format="plaintext")


@sign_app.command
def new(
    file: Annotated[
        Path, Parameter(help="File for the secret key, such as desk.pem; the public one is written beside it, as desk.pub.")
    ],
    /,
    *,
    json: JsonOption = False,
) -> int:
    """Make a key (Ed25519) that signs what runs write.

    Keep the secret key where nobody else can read it; it is not encrypted. Give the
    public key to those who will check results, in a way that nobody can exchange
    it: your signature is worth only as much as they know that key to be yours.

    For example:

        facestream keys sign new desk.pem

        facestream run --source street.mp4 --out result --sign desk.pem

        facestream audit result --public-key desk.pub
    """
    key, public = make_signing_key(file.expanduser())
    if json:
        write_lines([{"file": str(file), "public_file": str(public), "public": key.public}])
        return 0
    say(f"wrote {file}, the only copy of the secret, and {public}, which you may show: {key.public}")
    say(f"sign with `facestream run --sign {quote(str(file))}`")
    say(f"check with `facestream audit DIR --public-key {quote(str(public))}`")
    return 0


@sign_app.command
def show(file: Annotated[Path, Parameter(help="A public key, such as desk.pub.")], /, *, json: JsonOption = False) -> int:
    """Print a public key as `audit` and the pages of an exhibit show it.

    For example:

        facestream keys sign show desk.pub
    """
    public = public_key(file.expanduser())
    if json:
        write_lines([{"file": str(file), "public": public}])
    else:
        say(public)
    return 0
