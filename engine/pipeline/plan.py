"""Which processes a run consists of and who sends to whom: data, by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from engine.contracts.camera import Camera

Role = Literal["camera", "reader", "perceive", "enhance", "publish", "inference"]
_FLOW: Mapping[Role, Role] = {"camera": "perceive", "reader": "perceive", "perceive": "enhance", "enhance": "publish"}
"""Every worker of a role sends to every worker of the next one."""
_DOWNSTREAM_FIRST: Sequence[Role] = ("inference", "publish", "enhance", "perceive", "camera", "reader")


class Pipe(NamedTuple):
    """Between two workers, by name."""

    writer: str
    reader: str


@dataclass(frozen=True)
class Member:
    """One worker that a run should have."""

    name: str
    role: Role
    camera: Camera | None = None
    """Of a camera's worker: with other settings it is another worker."""
    device: str = ""
    """Of a worker that computes for the others, which have no pipes to it: they call it."""


@dataclass(frozen=True)
class Plan:
    """The workers of a run. Two plans with the same members are equal, and so are their pipes."""

    members: Mapping[str, Member] = field(default_factory=dict)

    @property
    def pipes(self) -> list[Pipe]:
        """All pipes, those of one reader in the order of their writers."""
        return [
            Pipe(writer.name, reader)
            for writer in self.members.values()
            if writer.role in _FLOW
            for reader in self.of(_FLOW[writer.role])
        ]

    def readers_of(self, member: Member) -> list[str]:
        """Return the names of the workers that a worker sends to; it need not be in the plan any more."""
        return self.of(_FLOW[member.role]) if member.role in _FLOW else []

    def writers_to(self, member: Member) -> list[str]:
        """Return the names of the workers that send to a worker."""
        return self.of(*(role for role, reader in _FLOW.items() if reader == member.role))

    def of(self, *roles: Role) -> list[str]:
        """Return the names of the workers of some roles."""
        return [member.name for member in self.members.values() if member.role in roles]

    @property
    def cameras(self) -> dict[str, Camera]:
        """Worker name to camera."""
        return {name: member.camera for name, member in self.members.items() if member.camera is not None}

    def with_cameras(self, cameras: Iterable[Camera]) -> Plan:
        """Return the plan with these cameras in place of its own."""
        others = [member for member in self.members.values() if member.role != "camera"]
        return Plan(_by_name([*_camera_members(cameras), *others]))

    def without(self, name: str) -> Plan:
        """Return the plan without a worker."""
        return Plan({other: member for other, member in self.members.items() if other != name})


def plan_of(cameras: Iterable[Camera], readers: int, enhancers: int, devices: Iterable[str] = ()) -> Plan:
    """Return the plan of a run.

    Args:
        cameras: each has a worker.
        readers: workers that read recordings.
        enhancers: workers that enlarge and verify.
        devices: each has a worker that computes there for all.
    """
    members = list(_camera_members(cameras))
    members += [Member(f"decode-{number + 1}", "reader") for number in range(readers)]
    members.append(Member("perceive", "perceive"))
    members += [Member(f"enhance-{number + 1}", "enhance") for number in range(enhancers)]
    members.append(Member("publish", "publish"))
    members += [Member(f"inference-{device.replace(':', '-')}", "inference", device=device) for device in devices]
    return Plan(_by_name(members))


def downstream_first(members: Iterable[Member]) -> list[Member]:
    """Return the members in the order in which they are started: who reads is there before who writes."""
    return sorted(members, key=lambda member: _DOWNSTREAM_FIRST.index(member.role))


def _camera_members(cameras: Iterable[Camera]) -> Iterator[Member]:
    return (Member(f"camera-{camera.name}", "camera", camera) for camera in cameras)


def _by_name(members: Iterable[Member]) -> dict[str, Member]:
    return {member.name: member for member in members}
