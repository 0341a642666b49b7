"""Refuse to send faces in the clear to where others can listen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engine.config import PublishConfig
from engine.contracts.address import check_form, is_loopback
from engine.errors import ConfigError
from engine.keys.files import Client
from engine.keys.folder import KeyFolder, default_folder
from engine.private_file import is_ours_alone

_WHO = "anybody who can reach it would get faces and names in the clear"
KEYS = f"as publish.keys: {default_folder()} (of `facestream run`: --keys {default_folder()})"
INSECURE = "with publish.insecure: true (of `facestream run`: --insecure)"


def check_exposure(config: PublishConfig) -> str:
    """Check that nobody but this machine's own, or holders of keys, can read what is published.

    Returns:
        A sentence for the log where ``insecure`` was needed, else an empty one.

    Raises:
        ConfigError: an address is none, or beyond loopback and has neither keys nor ``insecure``; or the keys cannot be used.
    """
    if config.keys:
        check_keys(config)
    return check_in_the_clear(config)


def check_in_the_clear(config: PublishConfig) -> str:
    """Check the same of the addresses alone, whatever is in the folder of keys: it may change while a run goes on.

    Returns:
        A sentence for the log where ``insecure`` was needed, else an empty one.

    Raises:
        ConfigError: an address is none, or beyond loopback and has neither keys nor ``insecure``.
    """
    chosen = {key: endpoint for key in ("endpoint", "replay") if (endpoint := getattr(config, key))}
    for key, endpoint in chosen.items():
        check_form(endpoint, f"publish.{key}")
    if config.keys:
        return ""
    exposed = [key for key, endpoint in chosen.items() if not is_loopback(endpoint)]
    if not exposed:
        return ""
    where = " and ".join(f"publish.{key} {getattr(config, key)}" for key in exposed)
    if config.insecure:
        return f"INSECURE: {where}: beyond this machine without keys: {_WHO}"
    raise ConfigError(
        f"{where}: beyond this machine, and {_WHO}: make keys with `facestream keys new NAME` and give their folder, {KEYS}, "
        f"or accept it, {INSECURE}"
    )


def check_keys(config: PublishConfig) -> None:
    """Check that the folder of keys can be used, and that what it grants can be enforced.

    Raises:
        ConfigError: it cannot; ``push`` hands each message to whoever reads, whatever its topic.
    """
    folder = KeyFolder(Path(config.keys))
    folder.server()
    bound = [client.name for client in folder.clients() if not client.reads_everything]
    if config.socket == "push" and bound:
        raise ConfigError(
            f"publish.keys: {', '.join(bound)} may read some topics only, which publish.socket: push cannot enforce: use pub, "
            "another folder of keys, or give them a key without --topics"
        )


def refusal_of(config: PublishConfig) -> Callable[[Client], str]:
    """Return what says why a client of the folder of keys is not let in all the same; empty: it is."""

    def refusal(client: Client) -> str:
        if client.reads_everything or config.socket == "pub":
            return ""
        return "it may read some topics only, which publish.socket: push cannot enforce"

    return refusal


def check_folder(folder: Path, endpoint: str) -> None:
    """Check that nobody else may use the folder of an ``ipc`` socket.

    Nothing is tightened: a folder that we did not make may be meant for others, as ``/tmp`` is.

    Raises:
        ConfigError: others may.
    """
    if not is_ours_alone(folder.stat()):
        raise ConfigError(
            f"others may use the folder {folder} of {endpoint}: run `chmod 700 {folder}`, choose a folder of its own as "
            f"ipc://{folder}/facestream/faces, which is made for you alone, use keys, {KEYS}, or accept it, {INSECURE}"
        )
