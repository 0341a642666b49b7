"""What each worker runs, by name, and what those that are forked have loaded before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.runtime.worker import BodyIn, prepare

BODIES: Mapping[str, BodyIn] = {
    "camera": BodyIn("engine.workers.camera", "camera_body"),
    "reader": BodyIn("engine.workers.recording", "recording_body"),
    "perceive": BodyIn("engine.workers.perceive", "perceive_body"),
    "enhance": BodyIn("engine.workers.enhance", "enhance_body"),
    "inference": BodyIn("engine.inference.process", "inference_body"),
    "publish": BodyIn("engine.workers.publish", "publish_body"),
}
"""By role."""
_BESIDE_CAMERAS = ("camera", "publish")
"""Those that come while the others work, or for which all others wait."""
_OF_RECORDINGS = ("perceive", "enhance", "reader", "publish")
"""All that compute on the processor: what each of them would load is loaded once."""


def loaded_before(role: str, *, replaces_workers: bool) -> Sequence[str]:
    """Return the modules that a worker is to have when it begins, because it is forked; none: it loads for itself.

    Args:
        role: of the worker.
        replaces_workers: see ``Policy``: there may be cameras.
    """
    roles = _BESIDE_CAMERAS if replaces_workers else _OF_RECORDINGS
    return [BODIES[one].module for one in roles] if role in roles else ()


def prepare_for_recordings() -> None:
    """Begin to load what the workers of recordings need, while this process loads what it needs itself."""
    prepare(loaded_before("reader", replaces_workers=False))
