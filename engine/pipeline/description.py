"""What ``run.json`` says of a run before it begins."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import secrets
import sys
from contextlib import suppress
from functools import cache
from typing import Any

import msgspec

import engine
from engine.config import Config

_PACKAGES = (
    "av",
    "numpy",
    "opencv-python",
    "onnxruntime",
    "onnxruntime-gpu",
    "openvino",
    "pyzmq",
    "msgspec",
    "dlib-bin",
    "insightface",
    "trackers",
)


def new_run_id() -> str:
    """Return the name of a run: when it began (UTC), and what no other has."""
    return f"{datetime.datetime.now(datetime.UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def describe_run(config: Config, run_id: str = "") -> dict[str, Any]:
    """Return what ``run.json`` says of a run before it starts; it gets a name where it has none."""
    now = datetime.datetime.now(datetime.UTC)
    return {
        "run_id": run_id or new_run_id(),
        "started": now.isoformat(timespec="seconds"),
        "config": msgspec.to_builtins(config),
        "versions": {"facestream": engine.__version__, "python": platform.python_version()} | _packages(),
        "platform": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "command": sys.argv,
    }


@cache
def _packages() -> dict[str, str]:
    """Return the versions of those that are there, read once: a process of an archive describes a run for each recording."""
    versions = {}
    for package in _PACKAGES:
        with suppress(importlib.metadata.PackageNotFoundError):
            versions[package] = importlib.metadata.version(package)
    return versions
