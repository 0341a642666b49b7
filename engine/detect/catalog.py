"""Which detectors there are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from engine.config import DetectConfig
from engine.detect.detector import Detector
from engine.errors import ConfigError, ModelError
from engine.sessions.session import SessionSpec

FindModel = Callable[[str], Path | None]
"""Returns the local file of a named model, None where it was not fetched."""


def open_detector(config: DetectConfig, find_model: FindModel) -> Detector:
    """Open the detector that the configuration names.

    ``auto`` is YuNet where its model file was fetched, else ``grey``, which comes with this package.

    Raises:
        ModelError: the model is missing, corrupt or of the wrong kind.
        MissingRuntimeError: a package is not installed.
        ConfigError: no detector has this name, or it cannot compute in the precision that is asked for.
    """
    check_detector(config)
    name = detector_named(config, find_model)
    if name in DETECTORS:
        return DETECTORS[name](config, find_model)
    if name.startswith("scrfd:"):
        return _scrfd(config, name.removeprefix("scrfd:"))
    path = Path(name).expanduser()
    if path.suffix.lower() == ".json":
        return _grey_file(config, path)
    return _yunet_file(config, path, path.stem, "unknown")


def detector_named(config: DetectConfig, find_model: FindModel) -> str:
    """Return which detector is meant."""
    if config.detector != "auto":
        return config.detector
    return "yunet" if find_model("yunet") else "grey"


def check_detector(config: DetectConfig) -> None:
    """Refuse a name that no detector has, and a file that is not there; cheap, nothing is opened.

    Raises:
        ConfigError, ModelError: see ``open_detector``.
    """
    name = config.detector
    path = Path(name).expanduser()
    is_path = path.suffix.lower() in (".json", ".onnx") or path.is_file()
    if name != "auto" and name not in DETECTORS and not name.startswith("scrfd:") and not is_path:
        raise ConfigError(
            f"detect.detector: unknown detector {name!r}: use auto, {', '.join(DETECTORS)}, scrfd:PACK, "
            "or the path of an ONNX file or of a manifest"
        )
    if is_path and name not in DETECTORS and not path.is_file():
        raise ModelError(f"there is no model file {path}: check the path, or fetch it with `facestream models pull`")


def _grey(config: DetectConfig, find_model: FindModel) -> Detector:
    path = find_model("grey")
    if path is None:
        raise ModelError(
            "the detector grey has no model file, although it comes with facestream: install facestream again, or choose "
            "another detector"
        )
    return _grey_file(config, path)


def _grey_file(config: DetectConfig, manifest: Path) -> Detector:
    from engine.detect.grey import GreyDetector

    return GreyDetector(_spec(config, manifest), config.min_score)


def _yunet(config: DetectConfig, find_model: FindModel) -> Detector:
    path = find_model("yunet")
    if path is None:
        raise ModelError(
            "the detector yunet has no model file here: fetch it with `facestream models pull yunet --accept-licence`, "
            "or give the path of one as detect.detector"
        )
    return _yunet_file(config, path, "yunet", "MIT")


def _yunet_file(config: DetectConfig, path: Path, name: str, licence: str) -> Detector:
    from engine.detect.yunet import YuNet

    return YuNet(_spec(config, path), config.min_score, name, licence)


def _spec(config: DetectConfig, path: Path) -> SessionSpec:
    return SessionSpec(path, config.runtime, config.device, config.precision)


def _dlib_hog(config: DetectConfig, find_model: FindModel) -> Detector:
    from engine.detect.dlib_hog import DlibHog

    _check_plain(config, "dlib-hog")
    return DlibHog(config.min_score, config.upsample)


def _scrfd(config: DetectConfig, pack: str) -> Detector:
    from engine.detect.scrfd import Scrfd

    _check_plain(config, "scrfd")
    return Scrfd(pack, config.min_score)


def _check_plain(config: DetectConfig, name: str) -> None:
    """Refuse what is asked of a detector that no session of ours computes."""
    if config.precision != "float32":
        raise ConfigError(f"detect.precision: the detector {name} computes in float32 only, not in {config.precision}")
    if config.device != "cpu":
        raise ConfigError(f"detect.device: the detector {name} computes on the CPU only, not on {config.device}")


DETECTORS: dict[str, Callable[[DetectConfig, FindModel], Detector]] = {
    "grey": _grey,
    "yunet": _yunet,
    "dlib-hog": _dlib_hog,
}
"""Every detector by name; ``scrfd:PACK`` and paths are resolved by ``open_detector``. Each is imported when first used."""
