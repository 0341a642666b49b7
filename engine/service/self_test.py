"""Is a known face detected, enhanced and verified?"""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path

import cv2
import numpy as np
from msgspec.structs import replace

from engine.config import SuperResolveConfig
from engine.config.verify import VerifyConfig
from engine.contracts.frames import Uint8
from engine.detect.catalog import open_detector
from engine.detect.detector import Detector
from engine.enrolment.portrait import Portrait, find_portrait
from engine.errors import EnrolmentRefused, FatalError
from engine.models import find_model
from engine.pictures.colour import planes_from_bgr
from engine.sample.known_face import known_face
from engine.service.task_messages import SelfTested, SelfTestTask
from engine.super_resolve.enhancer import Enhancer
from engine.super_resolve.generator import open_generator
from engine.verify.embedder import open_embedder

_FACE_PLACE = (slice(40, 190), slice(160, 290))
"""Of the face in the photograph of 512 x 512."""
_SMALLER = 0.5
"""The same face is to be known again in the photograph reduced to this."""
_ANY_SIZE = 10_000.0


def self_test(task: SelfTestTask) -> SelfTested:
    """Do with a known face what a run does, on the processor; it takes a few seconds.

    Raises:
        FatalError: it was not found, not enlarged, or not known again.
        ModelError: a model cannot be opened.
    """
    picture = known_face()
    reduced = np.asarray(cv2.resize(picture, None, fx=_SMALLER, fy=_SMALLER, interpolation=cv2.INTER_AREA), np.uint8)
    with ExitStack() as opened:
        detector = opened.enter_context(closing(open_detector(replace(task.detect, device="cpu"), find_model)))
        models = {"detector": f"{detector.name} ({detector.runtime})"}
        portraits = [_found(one, detector) for one in (picture, reduced)]
        did = ["detected"]
        did += _enlarged(task, reduced, models, opened)
        did += _verified(task.verify, portraits, models, opened)
    return SelfTested(detail=f"a known face was {' and '.join(did)}", models=models)


def _found(picture: Uint8, detector: Detector) -> Portrait:
    try:
        return find_portrait(Path("the self-test"), picture, detector)
    except EnrolmentRefused as error:
        raise FatalError(f"the detector did not find the test face: {error}") from error


def _enlarged(task: SelfTestTask, reduced: Uint8, models: dict[str, str], opened: ExitStack) -> list[str]:
    if task.generator == "none":
        return []
    config = SuperResolveConfig(generator=task.generator, strength=task.strength)
    generator = open_generator(config, find_model)
    enhancer = opened.enter_context(closing(Enhancer(generator, task.strength, _ANY_SIZE)))
    rows, columns = (slice(int(one.start * _SMALLER), int(one.stop * _SMALLER)) for one in _FACE_PLACE)
    face = np.ascontiguousarray(reduced[rows, columns])
    made = enhancer.enlarge([planes_from_bgr(face, full_range=False)])[0]
    models["generator"] = f"{generator.name} ({generator.runtime})"
    if made.bgr.shape[0] != face.shape[0] * made.scale or not made.bgr.any() or int(made.bgr.max()) == int(made.bgr.min()):
        raise FatalError(f"the generator {generator.name} did not enlarge the test face correctly")
    return ["enhanced"]


def _verified(verify: VerifyConfig, portraits: list[Portrait], models: dict[str, str], opened: ExitStack) -> list[str]:
    embedder = open_embedder(replace(verify, device="cpu"), find_model)
    if embedder is None:
        return []
    opened.enter_context(closing(embedder))
    models["embedder"] = f"{embedder.name} ({embedder.runtime})"
    first, second = embedder.embed([one.bgr for one in portraits], [one.landmarks for one in portraits])
    cosine = float(first @ second)
    if not cosine >= embedder.known_cosine:
        raise FatalError(
            f"the embedder {embedder.name} did not recognise the test face: {cosine:.3f}, below {embedder.known_cosine:g}"
        )
    return ["verified"]
