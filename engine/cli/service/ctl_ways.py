"""What all verbs of ``facestream ctl`` share: how the service is found, and how an answer is shown."""

from __future__ import annotations

import math
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec
import yaml
from cyclopts import Parameter
from rich.console import Console

from engine.cli.run.words import printable
from engine.cli.service.ctl_tables import tell
from engine.contracts.probed import Probed
from engine.control.answers import AnyResult, Done, People, Quarantine
from engine.control.client import ControlClient, ControlError, NoServiceError
from engine.control.verbs import AnyVerb, ListPeople
from engine.errors import UsageError
from engine.keys.files import ClientKey, read_key
from engine.service.directory import control_endpoint, directory_of
from engine.verify.gallery.joining import namesakes

Result = TypeVar("Result", bound=AnyResult)
_NOT_DONE_IN_USE = ("bad_request", "unauthorised", "forbidden")


@Parameter(name="*")
@dataclass(frozen=True)
class Where:
    """Which service is asked, and how."""

    directory: Annotated[Path | None, Parameter(help="serve.directory of the service; the user's own by default.")] = None
    endpoint: Annotated[str, Parameter(help="serve.control of a service elsewhere, such as tcp://192.0.2.5:5558.")] = ""
    key: Annotated[Path | None, Parameter(help="File from `facestream keys new`, for --endpoint.")] = None
    seconds: Annotated[float, Parameter(name="--wait", help="How long to wait for an answer.")] = 10.0
    json: Annotated[bool, Parameter(negative=(), help="Print the answer as JSON.")] = False


OWN = Where()
"""This user's own service."""


def asked(where: Where, verb: AnyVerb, wanted: type[Result], more_seconds: float = 0.0) -> Result:
    """Ask, and return what is answered.

    Raises:
        ControlError: it was not done.
        NoServiceError: nobody answered.
        UsageError: the options do not go together.
    """
    if not 0 < where.seconds < math.inf:
        raise UsageError(f"--wait {where.seconds:g} must be more than 0 seconds")
    key = read_key(where.key.expanduser(), ClientKey) if where.key else None
    if key is not None and not where.endpoint:
        raise UsageError("--key is for a service elsewhere: give its --endpoint too")
    if where.endpoint.startswith("tcp://") and key is None:
        raise UsageError(
            f"{where.endpoint} lets in only holders of keys: give --key FILE (`facestream keys new NAME --control`)"
        )
    endpoint = where.endpoint or control_endpoint(directory_of(str(where.directory or "")))
    with ControlClient(endpoint, key) as client:
        try:
            check_that_one_listens(endpoint)
            return client.call(verb, wanted, where.seconds + more_seconds)
        except ControlError as error:
            error.exit_code = 2 if error.code in _NOT_DONE_IN_USE else 1
            raise
        except NoServiceError as error:
            error.exit_code = 2
            raise


def check_that_one_listens(endpoint: str, option: str = "--directory` or `--endpoint") -> None:
    """ZeroMQ waits for a service that may come: of a socket of this machine it is known at once that nobody has it.

    Raises:
        NoServiceError: nobody does.
    """
    path = endpoint.removeprefix("ipc://")
    if path == endpoint or path.startswith("@"):
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asked_once:
        asked_once.settimeout(1.0)
        try:
            asked_once.connect(path)
        except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError) as error:
            raise NoServiceError(
                f"no service runs at {endpoint}: is `facestream serve` running? (`{option}` says which)"
            ) from error
        except OSError:
            return  # it is busy, or something else that the client itself will tell


def show(result: AnyResult, where: Where) -> int:
    """Print an answer; return the exit code."""
    if where.json:
        sys.stdout.write(msgspec.json.encode(_without_pictures(result)).decode() + "\n")
    else:
        tell(Console(highlight=False), result)
    return 0


def _without_pictures(result: AnyResult) -> AnyResult:
    if isinstance(result, Probed):
        return msgspec.structs.replace(result, picture=b"")
    if isinstance(result, Quarantine):
        return msgspec.structs.replace(result, pictures=[msgspec.structs.replace(one, portrait=b"") for one in result.pictures])
    return result


def point_out_namesakes(where: Where, name: str) -> None:
    """Say who else has nearly this name, where whoever asks may see it; of JSON the answer is all."""
    if where.json:
        return
    try:
        people = asked(where, ListPeople(), People).people
    except (ControlError, NoServiceError):
        return  # what was to be done is done
    for other in namesakes((one.name for one in people), name):
        said = f"{printable(other)} is in the gallery, too: if both are one, `facestream ctl people rename --join` joins them"
        tell(Console(highlight=False), Done(note=said))


def answered(text: str) -> tuple[str, Any]:
    """Return key and value of ``NAME=VALUE``, the value as YAML reads it.

    Raises:
        UsageError: it is something else.
    """
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise UsageError(f"{text!r} must be NAME=VALUE")
    try:
        return key, yaml.safe_load(value)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UsageError(f"the value of {key} cannot be read: quote it as in YAML") from error
