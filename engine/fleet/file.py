"""What FLEET.yaml says: the cameras that there should be, and what each needs of a node."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec

from engine.config import SourceConfig
from engine.config.file import read_yaml
from engine.config.section import Section
from engine.contracts.messages import check_stream_name
from engine.errors import ConfigError
from engine.words.redaction import names_secret, redact_tree, redact_url

_ADDRESSES = ("uri", "crop_uri")
_OF_RECORDINGS = ("video_stream", "start_time", "clock_from", "fps")


class FleetCamera(SourceConfig, frozen=True):
    """A camera as in ``sources`` of a configuration, and where it may be."""

    needs: dict[str, str] = {}
    """Labels that its node must have."""
    prefers: tuple[str, ...] = ()
    """Nodes, the best first; others where none of them can have it."""
    only: str = ""
    """The one node that may have it, which keeps it whatever else is gone; nobody takes it over."""
    weight: Annotated[float, msgspec.Meta(gt=0.0, le=1000.0)] = 1.0
    """What it takes of a node's capacity."""

    @property
    def source(self) -> SourceConfig:
        """What the node reads."""
        return SourceConfig(**{key: getattr(self, key) for key in SourceConfig.__struct_fields__})


class Fleet(Section, frozen=True):
    """All of the file."""

    cameras: tuple[FleetCamera, ...]
    """All that there should be; to be written also where there are none, as an empty file is one that was cut off."""
    lease_seconds: Annotated[float, msgspec.Meta(ge=3.0, le=60.0)] = 6.0
    """A node that cannot renew its lease for so long loses its cameras. Changed only while no node is there."""


def read_fleet(path: Path) -> Fleet:
    """Read and check a file.

    Raises:
        ConfigError: it cannot be read, or something in it is wrong.
    """
    fleet = read_yaml(path, Fleet)
    seen: set[str] = set()
    for number, camera in enumerate(fleet.cameras):
        where = f"{path}: cameras[{number}]"
        if not camera.name:
            raise ConfigError(f"{where}.name is missing: nodes and people know a camera by its name")
        try:
            check_stream_name(camera.name)
        except ConfigError as error:
            raise ConfigError(f"{where}.name: {error}") from error
        if camera.name in seen:
            raise ConfigError(f"{where}.name: {camera.name} appears twice")
        seen.add(camera.name)
        _check(camera, where)
    return fleet


def _check(camera: FleetCamera, where: str) -> None:
    for key in _ADDRESSES:
        authority = str(getattr(camera, key)).partition("://")[2].partition("/")[0]
        if "@" in authority:
            raise ConfigError(
                f"{where}.{key} holds a user or password, which would be stored in the database: put them into a file in "
                "credentials/ of each node's serve.directory, and name it with `credentials`"
            )
        if names_secret(getattr(camera, key)):
            raise ConfigError(
                f"{where}.{key} holds a user, password or token, which would be stored in the database: name this camera in "
                "`sources` of the configuration of one node"
            )
    if redact_tree(camera.options) != camera.options:
        raise ConfigError(f"{where}.options hold a password or token, which would be stored in the database: leave it out")
    if "/" in camera.credentials:
        raise ConfigError(
            f"{where}.credentials is a path: give the name of a file in credentials/ of each node's serve.directory"
        )
    if given := [key for key in _OF_RECORDINGS if getattr(camera, key)]:
        raise ConfigError(f"{where}.{given[0]} is for recordings, and nodes read only cameras: leave it out")
    if camera.only and (camera.prefers or camera.needs):
        raise ConfigError(f"{where}.only names its node: leave out `prefers` and `needs`")


def difference(before: Iterable[FleetCamera], after: Iterable[FleetCamera]) -> list[str]:
    """Return what applying a file changes, a line a camera: ``+ door rtsp://…``, ``~ door detect_fps``, ``- door``."""
    old, new = {one.name: one for one in before}, {one.name: one for one in after}
    lines = []
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            lines.append(f"- {name}")
        elif name not in old:
            lines.append(f"+ {name} {redact_url(new[name].uri) if '://' in new[name].uri else new[name].uri}")
        elif old[name] != new[name]:
            keys = [key for key in FleetCamera.__struct_fields__ if getattr(old[name], key) != getattr(new[name], key)]
            lines.append(f"~ {name} {', '.join(keys)}")
    return lines
