"""What ``facestream doctor`` says about the models: each is opened, as a run would open it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from engine.config import DetectConfig, SuperResolveConfig
from engine.config.verify import VerifyConfig
from engine.contracts.gallery import GalleryPlace
from engine.models import find_model

SMALLEST_FACE_PX = {
    "grey": "from about 10 px",
    "yunet": "from about 12 px",
    "dlib-hog": "from 40 px (from 20 px with detect.upsample 2, at 4 times the cost)",
}
State = Literal["ok", "optional", "broken"]
"""``optional``: missing, and the main job runs without it; ``broken``: the main job cannot run."""
Says = Iterator[tuple[State, str]]


def say_detector() -> Says:
    """The default detector, and the smallest face that it sees."""
    from engine.detect.catalog import open_detector

    detector = open_detector(DetectConfig(), find_model)
    try:
        seen = SMALLEST_FACE_PX.get(detector.name, "")
        what = f"{detector.name} ({detector.licence}) on {detector.runtime}"
        yield "ok", f"the default detector is {what}: it sees faces {seen}"
    finally:
        detector.close()


def say_second_look() -> Says:
    """The second look, and its limits."""
    from engine.detect.second_look import open_second_look

    second_look = open_second_look(DetectConfig(), find_model)
    if second_look is not None:
        limits = second_look.limits
        what = f"{second_look.name} ({second_look.licence}) on {second_look.runtime}"
        yield (
            "ok",
            f"the second look is {what}: a face from {limits.accepted_from:g} on, seen once from {limits.alone_from:g}",
        )
        second_look.close()


def say_generator() -> Says:
    """The default generator, what computes it here, and its engines."""
    from engine.super_resolve.generator import open_generator

    said: list[str] = []
    generator = open_generator(SuperResolveConfig(), find_model, warn=said.append)
    try:
        yield (
            "ok",
            f"the default generator is {generator.name}, x{generator.scale} ({generator.licence}), on {generator.runtime}; its "
            "SHA-256 is right",
        )
    finally:
        generator.close()
    yield from (("optional", sentence) for sentence in said)
    yield from say_engines(generator.name)


def say_engines(name: str) -> Says:
    """Say what was built for this CPU, and what would."""
    from engine.contracts.manifest import read_manifest
    from engine.models.catalog import engines_dir
    from engine.sessions.built_engines import engines_for

    if (path := find_model(name)) is None:
        return
    engines = engines_for(path, read_manifest(path), engines_dir(), on_gpu=False).engines
    for engine in engines:
        passed = engine.manifest.usable_by_auto
        yield (
            "ok" if passed else "optional",
            f"the engine {engine.path.name} ({engine.gate()}){'' if passed else ' is not used'}",
        )
    if short := sorted({one.manifest.parity.note for one in engines if one.manifest.usable_by_auto} - {""}):
        yield (
            "optional",
            f"engines of {name} that auto may take passed their gate on {', '.join(short)}: `trt-build check {name} --faces "
            "FOLDER` repeats it on pictures of your own",
        )
    if not engines:
        yield (
            "optional",
            f"{name} has no engine for this CPU: `trt-build tune` makes those that may be faster here, and the fastest that "
            "passes its gate is used (measured elsewhere: 1 to 4 times as fast)",
        )


def say_embedder() -> Says:
    """The default embedder."""
    from engine.verify.embedder import open_embedder

    embedder = open_embedder(VerifyConfig(), find_model)
    if embedder is not None:
        what = f"{embedder.name} ({embedder.licence}) on {embedder.runtime}"
        show = f"`facestream models show {embedder.name}` says what it was trained on"
        yield "ok", f"the default embedder is {what}, {embedder.length} values; {show}"
        embedder.close()


def say_names(where: GalleryPlace) -> Says:
    """By what rule names are given."""
    from engine.verify.embedder import open_embedder
    from engine.verify.gallery.opening import is_there, open_gallery
    from engine.verify.rules import rule_of

    config = VerifyConfig()
    embedder = open_embedder(config, find_model)
    if embedder is not None:
        embedder.close()
        pictures = 0
        if is_there(where):
            with open_gallery(where, read_only=True) as gallery:
                pictures = len(gallery.templates(embedder.sha256)[0])
        yield "ok", rule_of(embedder, config).sentence(pictures)
