"""What is another one now than when the run was made: models, what computes them, the program and its packages."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterator, Mapping
from typing import Any

from engine import __version__
from engine.config import Config

_FACETS = {"": "is", "_sha256": "has the SHA-256", "_runtime": "is computed by"}
_ROLES = ("detector", "second_look", "generator", "fuser", "embedder")


def version_differences(versions: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence on each version that is another one now.

    Args:
        versions: of ``run.json``.
    """
    for name, before in versions.items():
        now = _version(name)
        if now != before:
            yield f"{name} was {before}, now it is {now or 'not installed'}"


def model_differences(workers: Mapping[str, Mapping[str, Any]], now: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence on each model that is another one now, or is computed by something else.

    Args:
        workers: of ``run.json``: what each had loaded.
        now: what is loaded now.
    """
    before = {key: value for facts in workers.values() for key, value in facts.items()}
    for role in _ROLES:
        for facet, words in _FACETS.items():
            then, here = str(before.get(role + facet, "")), str(now.get(role + facet, ""))
            if role + facet in now and role + facet in before and _plain(then) != _plain(here):
                yield f"the {role.replace('_', ' ')} {words} {here}, and {words.replace('is', 'was', 1)} {then}"


def computed_together(config: Config, *, whole: bool) -> Iterator[str]:
    """Yield a sentence on each part that computes several items at once, and which these are depends on timing.

    Args:
        config: of the run.
        whole: faces are found anew, too.
    """
    devices = {"generator": config.super_resolve.device, "embedder": config.verify.device}
    if whole:
        devices["detector"] = config.detect.device
    for part, device in devices.items():
        if device != "cpu":
            yield f"the {part} computes on {device} what comes together at once: what it gives may differ in its last digits"


def gallery_differs(workers: Mapping[str, Mapping[str, Any]], now: Mapping[str, Any]) -> bool:
    """Whether faces were compared with other people than now."""
    before = {str(facts["gallery_digest"]) for facts in workers.values() if "gallery_digest" in facts}
    return before != {str(now["gallery_digest"])} if "gallery_digest" in now else True


def _plain(text: str) -> str:
    """Without what a race of runtimes measured."""
    return text.partition(" (")[0]


def _version(package: str) -> str:
    if package == "facestream":
        return __version__
    if package == "python":
        return platform.python_version()
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
