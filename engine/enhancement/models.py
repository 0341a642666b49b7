"""What enhancement enlarges and compares faces with: opened and closed together."""

from __future__ import annotations

from collections.abc import Callable

from engine.config import Config
from engine.contracts.gallery import GalleryVersion
from engine.contracts.orders import Warned
from engine.enhancement.enhancement import Enhancement
from engine.enhancement.fusing import TrackFuser, open_fuser
from engine.enhancement.track_pictures import EXTRAS
from engine.models import find_model
from engine.runtime.cores import usable_cores
from engine.runtime.telemetry import Telemetry
from engine.sessions.model_calls import ModelCalls
from engine.super_resolve.enhancer import Enhancer
from engine.super_resolve.generator import Generator, open_generator
from engine.verify.embedder import Embedder, open_embedder
from engine.verify.gallery.opening import gallery_to_follow
from engine.verify.verifier import Verifier

_HURRIED_THREADS = 2
"""Of a live face that nothing waits behind: a crop of 72 px takes 26 ms instead of 44. More would take cores from the cameras;
and where faces do wait, two at a time on a core each are up to a quarter faster than each on two."""


class OpenModels:
    """The generator, the embedder and the gallery that a configuration asks for.

    Args:
        config: of the run.
        warn: is told what goes wrong and ends nothing, and why an engine that is there is not used.
        prompt: a face should be done soon rather than many at once.
        compares: faces are compared with the gallery; False: it is not opened.

    Raises:
        FacestreamError: see ``open_generator``, ``open_embedder`` and ``gallery_to_follow``.
    """

    def __init__(self, config: Config, warn: Callable[[Warned], None], *, prompt: bool, compares: bool = True) -> None:
        self._config, self._warn, settings = config, warn, config.super_resolve
        self._generator = None
        if settings.generator != "none":
            self._generator = open_generator(settings, find_model, warn=lambda sentence: warn(Warned("", sentence)))
        self._hurried = None
        if prompt and self._generator is not None and self._generator.profile.best == 1:
            self._hurried = open_generator(settings, find_model, min(_HURRIED_THREADS, usable_cores()))
        self._embedder = open_embedder(config.verify, find_model)
        named, max_age = config.verify.gallery_place, config.verify.gallery_max_age
        gallery = gallery_to_follow(named, max_age) if self._embedder and compares else None
        self.verifier = Verifier(self._embedder, gallery, config.verify)
        self.enhancer = enhancer_of(config, self._generator)
        """None: nothing is enlarged."""
        self.hurried = enhancer_of(config, self._hurried)
        """For a face that is alone; None: as all others."""
        self._fuser = open_fuser(settings, self._generator, find_model)
        best = 1 if self._generator is None else self._generator.profile.best
        self.batch = min(best, settings.max_batch or best)
        """Faces that are enlarged together at most."""
        names = {"names": self.verifier.naming()} if self._embedder else {}
        self.facts = _facts(self._generator, self._embedder, self._fuser) | names | gallery_facts(self.verifier.gallery)
        self.verifier.refresh()
        if self.verifier.gallery_fault:
            self.facts["gallery_away"] = self.verifier.gallery_fault
        """What the record of the run says of them."""

    def core(self, telemetry: Telemetry) -> Enhancement:
        """Return a core that enlarges and compares with them, and counts and measures."""
        calls = ModelCalls(telemetry.counts, lambda stream, words: self._warn(Warned(stream, words)), EXTRAS)
        models = self.enhancer, self.hurried, self.verifier
        return Enhancement(self._config, *models, calls, telemetry, self._warn, self._fuser)

    def close(self) -> None:
        """Free them."""
        self.verifier.close()
        for part in (self._generator, self._hurried, self._embedder, self._fuser):
            if part is not None:
                part.close()


def enhancer_of(config: Config, generator: Generator | None) -> Enhancer | None:
    """Return what enlarges with a generator."""
    return None if generator is None else Enhancer(generator, config.super_resolve.strength, config.crop.max_size_px)


def gallery_facts(gallery: GalleryVersion | None) -> dict[str, str]:
    """Return what the record of a run says of the gallery that it began with."""
    if gallery is None:
        return {}
    return {"gallery_epoch": gallery.epoch, "gallery_revision": str(gallery.revision), "gallery_digest": gallery.digest}


def _facts(generator: Generator | None, embedder: Embedder | None, fuser: TrackFuser | None) -> dict[str, str]:
    facts: dict[str, str] = {"generator": "none", "embedder": "none"}
    network = fuser.network if fuser else None
    for role, model in (("generator", generator), ("fuser", network), ("embedder", embedder)):
        if model is not None:
            facts |= {
                role: model.name,
                f"{role}_sha256": model.sha256,
                f"{role}_licence": model.licence,
                f"{role}_runtime": model.runtime,
            }
    return facts
