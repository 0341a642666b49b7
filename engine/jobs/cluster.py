"""The connection to a Ray cluster, or to one that is started on this machine; its news are kept from the terminal."""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from engine.errors import MissingRuntimeError, UsageError

LOCAL, AUTO, CLIENT = "local", "auto", "ray://"
_STORE_BYTES = 80 << 20
"""Of the object store, for which Ray takes a third of the memory otherwise: no result goes through it."""
_SILENCE = {
    "RAY_DEDUP_LOGS_SKIP_REGEX": "(?s).*",  # what its processes print, and its own news of them, come as our sentences
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


@contextmanager
def connected(address: str, cores: int | None = None) -> Iterator[None]:
    """Be connected to a cluster; one that was started here ends with the block.

    Args:
        address: ``local`` starts one on this machine; ``auto`` finds the one that runs here; else as for ``ray.init``.
        cores: of one that is started here; None: all.

    Raises:
        MissingRuntimeError: Ray is not installed.
        UsageError: there is no such cluster, or it does not fit to this installation.
    """
    if importlib.util.find_spec("ray") is None:
        raise MissingRuntimeError("archives need Ray, which is not installed: pip install 'facestream[ray]'")
    for name, value in _SILENCE.items():
        os.environ.setdefault(name, value)
    import ray

    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    if address == LOCAL:
        options |= {"num_cpus": cores, "include_dashboard": False, "object_store_memory": _STORE_BYTES}
    try:
        with _unheard():
            ray.init(address, **options)
    except Exception as error:
        raise UsageError(_refusal(address, error)) from error
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _unheard() -> Iterator[None]:
    """Let nothing be written to standard error, by Python or below it: what goes wrong comes as an error, too."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere, warnings.catch_warnings(action="ignore"):
            os.dup2(nowhere.fileno(), 2)
            yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _refusal(address: str, error: Exception) -> str:
    said = " ".join(str(error).split())
    if "ersion mismatch" in said:
        return f"the Ray cluster {address} has other versions than this machine ({said}): install the same on both"
    if address == LOCAL:
        return f"Ray cannot be started on this machine: {said}"
    if address.startswith(CLIENT) and (isinstance(error, ImportError) or "grpc" in said.lower().split(":")[0]):
        return f"{address} needs Ray's client: pip install 'ray[client]' ({said})"
    if address == AUTO:
        return "no Ray cluster runs on this machine: start one (`ray start --head`), join one, or use --address local"
    return (
        f"there is no Ray cluster at {address} ({said}): check the address; where it asks for a token, give the same "
        "~/.ray/auth_token to this machine, and set RAY_AUTH_MODE=token"
    )
