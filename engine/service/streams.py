"""The cameras that there should be: those of the configuration file, and those that were added or changed meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec.structs import replace

from engine.config import Config, SourceConfig
from engine.config.errors import explain
from engine.contracts.camera import Camera
from engine.errors import ConfigError, FatalError
from engine.pipeline.control import CHANGED, PAUSED, RunControl
from engine.service.desired import Desired, Held
from engine.service.given_checks import ADDRESSES
from engine.service.given_source import GivenSources
from engine.service.in_time import answered_in_time
from engine.service.refusal import Refusal
from engine.source.camera_url import looks_like_url, parse_camera_url
from engine.source.sources import expand_sources

Warn = Callable[[str], None]
_LOOK_UP_SECONDS = 5.0
"""For which a run waits for name servers at most."""


@dataclass(frozen=True)
class Wanted:
    """One camera as it should be."""

    name: str
    source: SourceConfig
    paused: bool
    is_given: bool
    """It was added or changed while the service ran, or placed."""
    permit: str = ""
    """Of one that a fleet has placed here, and that may be taken away: see ``Camera.permit``."""


def sources_of_file(config: Config, warn: Warn) -> dict[str, SourceConfig]:
    """Return the cameras of the configuration file, named.

    Raises:
        ConfigError: one is wrong, or is a recording.
    """
    found = expand_sources(config.sources, config.live, warn)
    recordings = [one.name for one in found if not isinstance(one, Camera)]
    if recordings:
        raise ConfigError(
            f"`serve` reads cameras, and {recordings[0]} is a recording: process recordings with `facestream run`, and leave "
            "them out of the file of the service"
        )
    return {one.name: replace(source, name=one.name) for one, source in zip(found, config.sources, strict=True)}


class Streams:
    """Changes the cameras; the caller holds a lock around each call.

    Args:
        from_file: see ``sources_of_file``.
        given: checks cameras that others give.
        most: how many there may be.
        require_room: raises ``FatalError`` where this system has no room for so many.
    """

    def __init__(
        self, from_file: Mapping[str, SourceConfig], given: GivenSources, most: int, require_room: Callable[[int], None]
    ) -> None:
        self._from_file, self.given, self._most, self._require_room = dict(from_file), given, most, require_room
        self.control = RunControl()
        """Of the present run."""
        self.placed: dict[str, Wanted] = {}
        """Those that a fleet has placed here; none of them has the name of another one."""
        self.faults: dict[str, str] = {}
        """Of cameras that cannot be read at all, as where their credentials are gone: why."""

    def wanted(self, desired: Desired) -> dict[str, Wanted]:
        """Return all cameras, by name, in order of their names."""
        found = {
            name: Wanted(name, source, name in desired.paused, is_given=False)
            for name, source in self._from_file.items()
            if name not in desired.removed
        }
        found |= {name: Wanted(name, held.source, held.paused, is_given=True) for name, held in desired.streams.items()}
        found |= self.placed
        return dict(sorted(found.items()))

    def forbidden(self, desired: Desired) -> dict[str, str]:
        """Return why cameras that were allowed may not be read any more, by name; without the lock, as it asks name servers.

        What a name server does not answer within seconds is judged by the address that the camera's reader is connected to.
        """
        given = [one for one in self.wanted(desired).values() if one.is_given and not one.paused]
        faults = answered_in_time(self.given.fault, {one.name: one.source for one in given}, _LOOK_UP_SECONDS)
        return {name: fault for name, fault in faults.items() if fault}

    def readable(self, desired: Desired, control: RunControl, forbidden: Mapping[str, str]) -> list[Camera]:
        """Begin a run: return the cameras that it reads, and note why others cannot be read.

        Args:
            desired: the state.
            control: of the run.
            forbidden: see there.
        """
        self.control, self.faults = control, {}
        cameras = []
        for one in self.wanted(desired).values():
            if one.name in forbidden:
                self.faults[one.name] = forbidden[one.name]
            elif not one.paused and (camera := self._camera(one)) is not None:
                cameras.append(camera)
        return cameras

    def add(self, desired: Desired, source: SourceConfig, *, paused: bool) -> Desired:
        """Return the state with another camera.

        Raises:
            Refusal: there is one of this name, or there are too many.
        """
        self._require_place(desired, source.name)
        return replace(desired, streams=desired.streams | {source.name: Held(source=source, paused=paused)})

    def place(self, desired: Desired, one: Wanted) -> None:
        """Let a camera be read that a fleet has placed here, or that has other settings than before.

        Raises:
            Refusal: there is a camera of this name that was not placed, or there are too many.
            ConfigError: it cannot be read, as where its credentials are missing.
        """
        if one.name not in self.placed:
            self._require_place(desired, one.name)
        self.given.camera(one.source)
        before = self.wanted(desired)
        self.placed[one.name] = one
        self._bring(before, self.wanted(desired))

    def displace(self, desired: Desired, name: str) -> None:
        """Read a camera no longer that was placed here."""
        before = self.wanted(desired)
        if self.placed.pop(name, None) is not None:
            self._bring(before, self.wanted(desired))

    def _require_place(self, desired: Desired, name: str) -> None:
        """Check that there can be another camera.

        Raises:
            Refusal: there is one of this name, or there are too many.
        """
        wanted = self.wanted(desired)
        if name in wanted:
            raise Refusal("conflict", f"there is a stream {name}: choose another name, or change that one", "source.name")
        if len(wanted) >= self._most:
            raise Refusal("refused", f"there are {len(wanted)} streams, as many as serve.max_streams allows: remove one first")
        try:
            self._require_room(len(wanted) + 1)
        except FatalError as error:
            raise Refusal("refused", str(error)) from error

    def same(self, desired: Desired, given: SourceConfig, *, paused: bool) -> bool:
        """Whether there is exactly such a camera already; what was asked twice is done."""
        one = self.wanted(desired).get(given.name)
        return (
            one is not None and one.is_given and given.name not in self.placed and one.source == given and one.paused == paused
        )

    def changed_source(self, desired: Desired, name: str, changes: Mapping[str, Any]) -> SourceConfig:
        """Return a camera's source with changes in it.

        Raises:
            Refusal: there is no such camera, or a key or value is wrong.
        """
        if "name" in changes:
            raise Refusal("bad_request", "a stream keeps its name: add another one and remove this", "changes.name")
        before = msgspec.to_builtins(self.one(desired, name).source)
        if "credentials" not in changes and any(_has_login(changes.get(key)) for key in ADDRESSES):
            before["credentials"] = ""  # user and password are given anew
        tree = before | {key: value for key, value in changes.items() if value is not None}
        for key in changes.keys() & before.keys():
            if changes[key] is None:
                del tree[key]
        try:
            return msgspec.convert(tree, SourceConfig)
        except msgspec.ValidationError as error:
            words = explain(str(error), SourceConfig, None, "").removeprefix("command line: ")
            raise Refusal("bad_request", words, f"changes.{words.partition(':')[0]}") from error

    def changed(self, desired: Desired, source: SourceConfig) -> Desired:
        """Return the state with a camera of other settings, which no longer follows the configuration file."""
        paused = self.own(desired, source.name).paused
        return replace(desired, streams=desired.streams | {source.name: Held(source=source, paused=paused)})

    def paused(self, desired: Desired, name: str, paused: bool) -> Desired:
        """Return the state with a camera that is paused, or read again."""
        one = self.own(desired, name)
        if one.is_given:
            return replace(desired, streams=desired.streams | {name: replace(desired.streams[name], paused=paused)})
        others = tuple(other for other in desired.paused if other != name)
        return replace(desired, paused=(*others, name) if paused else others)

    def removed(self, desired: Desired, name: str) -> Desired:
        """Return the state without a camera; one of the configuration file stays away while the file names it."""
        self.own(desired, name)
        removed = {*desired.removed, name} if name in self._from_file else set(desired.removed)
        return replace(
            desired,
            streams={other: held for other, held in desired.streams.items() if other != name},
            paused=tuple(other for other in desired.paused if other != name),
            removed=tuple(sorted(removed)),
        )

    def one(self, desired: Desired, name: str) -> Wanted:
        """Return a camera.

        Raises:
            Refusal: there is none of this name.
        """
        one = self.wanted(desired).get(name)
        if one is None:
            raise Refusal("not_found", f"there is no stream {name[:80]!r}: `facestream ctl streams list` shows all", "name")
        return one

    def own(self, desired: Desired, name: str) -> Wanted:
        """Return a camera that was not placed here.

        Raises:
            Refusal: there is none of this name, or a fleet has placed it.
        """
        if name in self.placed:
            words = (
                f"the stream {name} was placed here by the fleet: change it in FLEET.yaml, and `facestream fleet apply` that"
            )
            raise Refusal("refused", words, "name")
        return self.one(desired, name)

    def follow(self, before: Desired, after: Desired) -> None:
        """Let the run read what is wanted now; no camera is touched that is as it was."""
        self._bring(self.wanted(before), self.wanted(after))

    def _bring(self, old: Mapping[str, Wanted], new: Mapping[str, Wanted]) -> None:
        for name in old.keys() - new.keys():
            self.faults.pop(name, None)
            self.control.remove(name)
        for name, one in new.items():
            if one == old.get(name):
                continue
            self.faults.pop(name, None)
            camera = None if one.paused else self._camera(one)
            if camera is not None:
                self.control.add(camera)
            elif name in old:
                self.control.remove(name, PAUSED if one.paused else CHANGED)

    def _camera(self, one: Wanted) -> Camera | None:
        try:
            if one.is_given:
                return replace(self.given.camera(one.source), permit=one.permit)
            found: Sequence[object] = expand_sources([one.source], self.given.live)
        except ConfigError as error:
            self.faults[one.name] = str(error)
            return None
        return found[0] if isinstance(found[0], Camera) else None


def _has_login(address: object) -> bool:
    with suppress(ConfigError):
        return isinstance(address, str) and looks_like_url(address) and bool(parse_camera_url(address).user_info)
    return False
