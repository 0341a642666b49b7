"""Puts a service together from its configuration and its directory."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from msgspec.structs import replace

from engine.config import Config
from engine.config.blame import lines_of
from engine.config.serve import ServeConfig
from engine.contracts.http import check_exposure, tls_context
from engine.control.verbs import LogLevel
from engine.errors import ConfigError
from engine.pipeline.room import require_room
from engine.service.addresses import AllowedNetworks, look_up
from engine.service.answers import without_old
from engine.service.audit import Audit
from engine.service.desired import Desired, DesiredFile
from engine.service.directory import ServiceDirectory, directory_of
from engine.service.given_source import GivenSources
from engine.service.life import Life
from engine.service.logins import Logins
from engine.service.people import PeopleVerbs
from engine.service.service import Service
from engine.service.settings import ChangeableSettings
from engine.service.state import State
from engine.service.stream_verbs import StreamVerbs
from engine.service.streams import Streams, sources_of_file
from engine.service.tasks import Tasks


class Says(Protocol):
    """Where it says what should not be."""

    def warn(self, sentence: str) -> None:
        """Say it."""

    def set_level(self, level: LogLevel) -> None:
        """From now on say this and what is worse."""


@dataclass(frozen=True)
class Parts:
    """A service."""

    config: Config
    """As the file has it; the present one, with changed settings, is ``life.config``."""
    directory: ServiceDirectory
    state: State
    streams: Streams
    life: Life
    service: Service
    settings: ChangeableSettings

    def take_back_settings(self, settings: dict[str, Any]) -> None:
        """Let these be the changed settings again."""
        with self.state.lock:
            self.state.put(replace(self.state.desired, settings=settings))


def networks_of(serve: ServeConfig, addresses_of: Callable[[str], Sequence[str]] = look_up) -> AllowedNetworks:
    """Return in which networks cameras may be, once all of the section is known to be possible.

    Raises:
        ConfigError: an address, a file or a network in it is wrong, or others could read what is sent.
    """
    if serve.http:
        check_exposure(serve.http_settings)
        tls_context(serve.http_settings)
    return AllowedNetworks(serve.cameras_in, addresses_of)


def build(path: Path | None, says: Says, closing: ExitStack, addresses_of: Callable[[str], Sequence[str]] = look_up) -> Parts:
    """Return a service that carries verbs out, and has no run yet.

    Args:
        path: of the configuration.
        says: is told what should not be.
        closing: what is to be closed at the end goes there.
        addresses_of: finds the addresses of a host.

    Raises:
        ConfigError: the configuration, the directory or the desired state cannot be used.
        PublishError: another service has the directory.
    """
    settings = ChangeableSettings(path)
    config = settings.config({})
    if config.output.directory:
        says.warn("output.directory is not used: each run of a service has a directory in runs/ of serve.directory")
    serve = config.serve
    networks = networks_of(serve, addresses_of)
    with lines_of(path):
        from_file = sources_of_file(config, says.warn)
    if len(from_file) > serve.max_streams:
        raise ConfigError(
            f"the configuration has {len(from_file)} sources, and serve.max_streams is {serve.max_streams}: raise it, or leave "
            "sources out"
        )
    directory = ServiceDirectory(directory_of(serve.directory))
    closing.callback(directory.close)
    shutil.rmtree(directory.path / "uploads", ignore_errors=True)
    file = DesiredFile(directory.desired)
    loaded = file.load()
    desired = without_old(loaded.following(from_file))
    try:
        life = Life(settings.config(desired.settings), directory.tap)
    except ConfigError as error:
        raise ConfigError(f"the settings in {directory.desired} no longer fit the configuration: {error}") from error
    logins = Logins(directory)
    given = GivenSources(serve, logins, config.live, networks)
    streams = Streams(from_file, given, serve.max_streams, partial(require_room, config))
    tasks = Tasks(says.warn)
    closing.callback(tasks.close)

    def follow(before: Desired, after: Desired) -> None:
        streams.follow(before, after)
        if before.settings != after.settings:
            life.begin_anew(settings.config(after.settings))

    def tidy() -> None:
        logins.clean(file.names)

    tidy()
    state = State(file, desired, follow, tidy)
    if desired != loaded:
        file.save(desired)
    service = Service(
        state,
        life,
        StreamVerbs(streams, given, life, settings, tasks),
        PeopleVerbs(life, directory, tasks, serve.upload_bytes),
        Audit(directory.audit, says.warn),
        says.set_level,
        says.warn,
    )
    return Parts(config, directory, state, streams, life, service, settings)
