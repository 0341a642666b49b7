"""Chooses the deciding rule by the configuration and by what was measured for the embedder."""

from __future__ import annotations

from engine.config.verify import VerifyConfig
from engine.errors import ConfigError
from engine.verify.embedder import Embedder
from engine.verify.evidence import MOST_FACES
from engine.verify.likelihood import Calibration, calibration_of
from engine.verify.match_rate import ByMatchRate, check_match_rate
from engine.verify.naming import ByChance, ByCosine, Rule
from engine.verify.open_set import OpenSet, check_false_name_rate, open_set_of
from engine.verify.scores import Thresholds
from engine.verify.weighing import Weighed


def rule_of(embedder: Embedder, config: VerifyConfig) -> Rule:
    """Return the deciding rule: chances if they were measured for the embedder, unless the configuration sets a cosine or a
    false match rate; with likelihood ratios if they were calibrated.

    Raises:
        ConfigError: the two cosines cross, ``min_faces`` exceeds the faces kept of a track, or the embedder's measurement
            cannot support the configured rate.
        ModelError: a measurement is damaged.
    """
    _check_faces(config)
    measured = open_set_of(embedder.sha256)
    # A ratio needs the crowd of the measurement.
    calibration = None if measured is None else calibration_of(embedder.sha256)
    for name in ("target_fmr", "prior"):
        if getattr(config, name) is not None and calibration is None:
            raise ConfigError(f"verify.{name} needs a calibration, and the embedder {embedder.name} has none: leave it out")
    rule = _deciding(embedder, config, measured, calibration)
    if measured is None or calibration is None:
        return rule
    return Weighed(rule, measured, calibration, config.prior)


def check_rates(config: VerifyConfig) -> None:
    """Refuse rates that the configured embedder's measurements cannot support, and a ``min_faces`` above the faces kept of a
    track; no model is opened.

    Raises:
        ConfigError: a value is refused.
        ModelError: a shipped file is damaged.
    """
    _check_faces(config)
    check_match_rate(config)
    check_false_name_rate(config)


def _check_faces(config: VerifyConfig) -> None:
    if config.min_faces > MOST_FACES:
        raise ConfigError(
            f"verify.min_faces ({config.min_faces}) can never be met, as a decision rests on at most {MOST_FACES} faces of a "
            f"track: use {MOST_FACES} or less"
        )


def _deciding(embedder: Embedder, config: VerifyConfig, measured: OpenSet | None, calibration: Calibration | None) -> Rule:
    known = embedder.known_cosine if config.known_cosine is None else config.known_cosine
    unknown = embedder.unknown_cosine if config.unknown_cosine is None else config.unknown_cosine
    if unknown > known:
        raise ConfigError(
            f"verify.unknown_cosine ({unknown:g}) must not be above verify.known_cosine ({known:g}) for the embedder "
            f"{embedder.name}: set both"
        )
    thresholds = Thresholds(known, unknown, embedder.margin_cosine, embedder.min_size_px, config.min_faces)
    check_match_rate(config, calibration)
    is_set = config.known_cosine is not None or config.unknown_cosine is not None
    if measured is None or is_set:
        return ByCosine(thresholds, is_set)
    if config.target_fmr is not None and calibration is not None:
        return ByMatchRate(measured, thresholds, calibration, config.target_fmr)
    measured.check_rate(config.false_name_rate)
    return ByChance(measured, thresholds, config.false_name_rate)
