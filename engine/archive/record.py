"""``run.json``: written without credentials, and validated once against the shape in which a run writes it, so that no reader
has to check it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from engine.contracts.messages import is_stream_name
from engine.contracts.recording import Reading
from engine.contracts.times import Int64, UnixNs
from engine.words.redaction import redact_tree

_INPUT: dict[str, Any] = {
    "path": str,
    "size_bytes": Annotated[int, msgspec.Meta(ge=0)],
    "mtime_ns": int,
    "sha256": str,
    "pictures": Annotated[int, msgspec.Meta(ge=1)],
    "fps": Annotated[float, msgspec.Meta(gt=0.0, le=1e6)],
    "reading": Reading,
}
_SETTINGS: dict[str, dict[str, Any]] = {
    "publish": {"redact": str, "parts": list[str]},
    "output": {"sign": str, "report_tracks": int, "report_video": str},
    "verify": {"gallery": str, "gallery_key_file": str},
}
"""Of the settings those that readers act on; ``reproduction`` reads all of them as ``Config``."""
_RUN: dict[str, Any] = {
    "run_id": str,
    "started": str,
    "started_ns": UnixNs,
    "ended_ns": UnixNs,
    "outcome": str,
}


def shaped(run: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a run says of itself, without what has another shape than a run gives it, as after somebody changed it.

    ``inputs``, ``config``, ``workers``, ``streams``, ``counters``, ``versions`` are mappings, and ``attempts`` a list of runs,
    wherever they are there; an input has the name that a stream can have. What is not known here stays as it is.
    """
    found = _fitting(run, _RUN)
    for name, each in (("inputs", _INPUT), ("workers", {}), ("streams", {})):
        if name in found:
            found[name] = {key: _fitting(_mapping(one), each) for key, one in _mapping(found[name]).items()}
    for name, kind in (("counters", Int64), ("versions", str)):
        if name in found:
            found[name] = {key: value for key, value in _mapping(found[name]).items() if _is(value, kind)}
    if "inputs" in found:
        found["inputs"] = {stream: one for stream, one in found["inputs"].items() if is_stream_name(stream)}
    if "config" in found:
        found["config"] = {key: _section(key, value) for key, value in _mapping(found["config"]).items()}
    if "attempts" in found:
        attempts = found["attempts"] if isinstance(found["attempts"], list) else []
        found["attempts"] = [_fitting(one, _RUN) for one in attempts if isinstance(one, Mapping)]
    return found


def as_json(run: dict[str, Any]) -> bytes:
    """Return the text of ``run.json``, without credentials in URLs."""
    whole = redact_tree(msgspec.to_builtins(run, enc_hook=str))
    return msgspec.json.format(msgspec.json.encode(whole), indent=2) + b"\n"


def settings(run: Mapping[str, Any], section: str) -> Mapping[str, Any]:
    """Return a section of a run's settings, as ``publish``; empty where its record has none."""
    return _mapping((run.get("config") or {}).get(section))


def attempts(run: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the attempts of a run, oldest first: itself where it does not name any."""
    return list(run.get("attempts") or [dict(run)])


def workers(run: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what each worker of a run said it had loaded."""
    return [_mapping(facts) for facts in _mapping(run.get("workers")).values()]


def of_each_role(workers: Mapping[str, Mapping[str, Any]], facet: str) -> dict[str, str]:
    """Return what workers say of the models that they have opened, by role: ``detector_sha256`` as that of ``detector``.

    Args:
        workers: worker name to facts.
        facet: ``sha256`` or ``runtime``.
    """
    return {
        key.removesuffix(f"_{facet}"): str(value)
        for facts in workers.values()
        for key, value in facts.items()
        if key.endswith(f"_{facet}") and value
    }


def embedder_sha256(run: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the network that compared the faces of a run; empty where there was none, or it does not say."""
    return next((str(facts["embedder_sha256"]) for facts in workers(run) if facts.get("embedder_sha256")), "")


def _section(name: str, value: Any) -> Any:
    """Return a section, and what is no section, as ``profile``, as it is."""
    if name not in _SETTINGS:
        return value
    return _fitting(_mapping(value), _SETTINGS[name])


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _fitting(facts: Mapping[str, Any], kinds: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in facts.items() if key not in kinds or _is(value, kinds[key])}


def _is(value: Any, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True
