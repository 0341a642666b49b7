"""Whether it is the same job: an interrupted run is resumed only over the same recordings, with the settings its results depend
on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import msgspec

from engine.archive.record import of_each_role
from engine.contracts.recording import Recording
from engine.errors import ConfigError

_SETTINGS: dict[str, tuple[str, ...] | None] = {
    "decode": ("skip_frame",),
    "detect": ("detector", "every", "min_score", "upsample", "runtime", "precision", "second_look"),
    "track": None,
    "crop": None,
    "super_resolve": ("generator", "strength", "runtime", "precision"),
    "verify": None,
    "publish": ("codec", "jpeg_quality", "mark", "parts", "redact"),
}
"""The keys of each section that change the results; None: all of them."""
_WITHOUT_EFFECT = {"gallery_key_file"}
"""Where a key lies says nothing of what it opens."""
_START_OVER = "or start over with --overwrite"
Facts = Mapping[str, Any]


def describe_inputs(recordings: Mapping[str, Recording]) -> dict[str, dict[str, Any]]:
    """Return what ``run.json`` says of the recordings before they are read, see ``Recording.facts``.

    The SHA-256 comes when a recording has been read to its end. One of which only a part was read, as the run was stopped or
    killed, has none: resuming knows it again by its path, size and time of change.

    Args:
        recordings: stream name to recording; one that cannot be looked at gets its path only.
    """
    return {stream: recording.facts() for stream, recording in recordings.items()}


def check_same_settings(directory: Path | str, earlier: Facts, run: Facts) -> None:
    """Compare the program's version and the settings that change results.

    Args:
        directory: for the message, as the user gave it.
        earlier: the directory's ``run.json``.
        run: the same of the run that wants to go on.

    Raises:
        ConfigError: they differ; names the first difference.
    """
    then, now = _plain(earlier.get("versions") or {}), _plain(run.get("versions") or {})
    if "facestream" in then and then["facestream"] != now.get("facestream", then["facestream"]):
        raise ConfigError(
            f"{directory} was begun with facestream {then['facestream']}, this is {now['facestream']}, whose results may "
            f"differ: use that version, {_START_OVER}"
        )
    before, after = _plain(earlier.get("config") or {}), _plain(run.get("config") or {})
    for section, keys in _SETTINGS.items():
        old, new = before.get(section) or {}, after.get(section) or {}
        for key in keys or sorted(new.keys() - _WITHOUT_EFFECT):
            if key in old and key in new and old[key] != new[key]:
                raise ConfigError(
                    f"{directory} was begun with {section}.{key} = {_shown(old[key])}, now it is {_shown(new[key])}: "
                    f"resume with the same settings, {_START_OVER}"
                )


def check_same_models(directory: Path, earlier: Facts, workers: Facts) -> None:
    """Compare the models that the workers have loaded: their SHA-256, and which runtime they are on.

    Args:
        directory: for the message.
        earlier: the ``workers`` of the directory's ``run.json``; empty where they are not known.
        workers: worker name to facts, as ``detector`` and ``detector_sha256``.

    Raises:
        ConfigError: a model is another one, or on another runtime.
    """
    before, after = of_each_role(earlier, "sha256"), of_each_role(workers, "sha256")
    for role in sorted(before.keys() & after.keys()):
        if before[role] != after[role]:
            raise ConfigError(
                f"{directory} was begun with another {role} model (SHA-256 {before[role][:12]}, now {after[role][:12]}): "
                f"put the earlier one back, {_START_OVER}"
            )
    before, after = of_each_role(earlier, "runtime"), of_each_role(workers, "runtime")
    for role in sorted(before.keys() & after.keys()):
        (then, *_), (now, *_) = before[role].split(), after[role].split()
        if then != now:
            raise ConfigError(f"{directory} was begun with the {role} on {then}, now it is on {now}: use {then}, {_START_OVER}")


def check_same_recordings(
    directory: Path,
    inputs: Mapping[str, Facts],
    recordings: Mapping[str, Recording],
    used: Collection[str],
) -> None:
    """Compare the recordings. Further ones may have come, and those that were not read yet may be gone or have changed.

    Args:
        directory: for the message.
        inputs: what is known of the recordings of the earlier run.
        recordings: stream name to recording, of the run that wants to go on.
        used: the streams of which something will be kept.

    Raises:
        ConfigError: a recording is missing, or another one than before.
    """
    for stream in sorted(used):
        facts = inputs.get(stream, {})
        if stream not in recordings:
            raise ConfigError(
                f"{directory} holds results of {facts.get('path') or stream} (stream {stream}), which is not among the sources "
                f"now: resume with the same sources, {_START_OVER}"
            )
        if why := difference(facts, recordings[stream]):
            raise ConfigError(
                f"{recordings[stream].path} (stream {stream}) {why} since {directory} was begun: put the earlier recording "
                f"back, {_START_OVER}"
            )


def difference(facts: Facts, recording: Recording) -> str:
    """Return how a recording differs from what is known of it, empty if it does not; it is hashed only where its path or time
    of change is another one."""
    found = recording.facts()
    try:
        if "size_bytes" not in found:
            for path in recording.files:
                path.stat()
        for key, what in (("pictures", "pictures"), ("fps", "pictures a second")):
            if facts.get(key, found.get(key)) != found.get(key):
                return f"has changed from {facts[key]} to {found.get(key)} {what}"
        if facts.get("reading") != found.get("reading"):
            return "is to be read in another way (rotation, time, video stream)"
        if facts.get("size_bytes", found["size_bytes"]) != found["size_bytes"]:
            return f"has changed its size from {facts['size_bytes']:,} to {found['size_bytes']:,} bytes"
        same_file = str(Path(str(facts.get("path", ""))).absolute()) == found["path"]
        if same_file and facts.get("mtime_ns") == found["mtime_ns"]:
            return ""
        if not facts.get("sha256"):
            return "" if same_file and not facts.get("mtime_ns") else "has been replaced or touched"
        return "" if recording.sha256() == facts["sha256"] else "has changed its content"
    except OSError as error:
        return f"cannot be read any more ({error.strerror})"


def _plain(value: Any) -> Any:
    """As it comes back from JSON."""
    return msgspec.json.decode(msgspec.json.encode(value, enc_hook=str))


def _shown(value: Any) -> str:
    return msgspec.json.encode(value).decode()
