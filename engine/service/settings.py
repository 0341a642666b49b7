"""The settings that may be changed while the service runs: none of them names a file, an address or a key."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from engine.config import Config
from engine.config.file import load_config
from engine.contracts.manifest import read_manifest
from engine.control.answers import Settings
from engine.errors import ConfigError, ModelError
from engine.models import embedded_manifests, models_dir
from engine.service.refusal import Refusal
from engine.verify.rules import check_rates

CHANGEABLE = (
    "profile",
    "live.detect_fps", "live.budget_ms", "live.adapt", "live.stall_seconds",
    "detect.every", "detect.min_score", "detect.second_look",
    "track.lost_seconds", "track.min_detections", "track.scene_cuts", "track.same_person",
    "crop.policy", "crop.interval_seconds", "crop.top_k", "crop.margin", "crop.min_size_px", "crop.max_size_px",
    "super_resolve.track_pictures",
    "super_resolve.generator", "super_resolve.strength",
    "verify.false_name_rate", "verify.target_fmr", "verify.prior", "verify.known_cosine", "verify.unknown_cosine",
    "verify.min_faces", "verify.max_candidates", "verify.enhanced_scores",
    "output.keep_pictures_days", "output.keep_pictures_gb", "output.keep_records_days", "output.keep_records_gb",
)  # fmt: skip


class ChangeableSettings:
    """Lays the changed settings over a configuration file.

    Args:
        path: of the configuration file.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def config(self, settings: Mapping[str, Any]) -> Config:
        """Return the configuration with these settings.

        Raises:
            ConfigError: one cannot be.
        """
        overrides: dict[str, Any] = {}
        for name, value in settings.items():
            section, _, key = name.partition(".")
            if key:
                overrides.setdefault(section, {})[key] = value
            else:
                overrides[section] = value
        return load_config(self._path, overrides)

    def merged(self, before: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings with changes in them; null takes a setting back to what the file says.

        Raises:
            Refusal: one may not be changed, or not to this value.
        """
        for name in changes:
            if name not in CHANGEABLE:
                near = difflib.get_close_matches(name[:80], CHANGEABLE, n=1)
                hint = f"did you mean {near[0]}? These" if near else "these"
                what = f"{name[:80]!r} cannot be changed while the service runs; {hint} can: {', '.join(CHANGEABLE)}"
                raise Refusal("refused", what, f"changes.{name[:80]}")
        generator = changes.get("super_resolve.generator")
        if generator is not None and generator not in _generators():
            known = f"there is no generator {str(generator)[:80]!r}: use one of {', '.join(_generators())}"
            raise Refusal("refused", known, "changes.super_resolve.generator")
        after = {name: value for name, value in {**before, **changes}.items() if value is not None}
        try:
            check_rates(self.config(after).verify)
        except ConfigError as error:
            words = str(error).removeprefix("command line: ")
            raise Refusal("bad_request", words, f"changes.{words.partition(':')[0].split()[0]}") from error
        return after


def settings_of(config: Config) -> Settings:
    """Return the values of the changeable settings."""
    tree = msgspec.to_builtins(config)
    values = {}
    for name in CHANGEABLE:
        section, _, key = name.partition(".")
        values[name] = tree[section][key] if key else tree[section]
    return Settings(values=values, profile=config.profile)


def _generators() -> list[str]:
    """Return the names of the generators that lie where models lie."""
    paths = [*embedded_manifests(), *sorted(models_dir().glob("*.json"))]
    return [*(path.stem for path in paths if _is_generator(path)), "bicubic", "lanczos", "none"]


def _is_generator(path: Path) -> bool:
    try:
        return read_manifest(path).kind == "generator"
    except ModelError:
        return False
