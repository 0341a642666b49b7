"""What each stage costs when it runs alone: the sum over the cores is the bound of any arrangement of the same stages."""

from __future__ import annotations

import itertools
import time
from collections import defaultdict
from pathlib import Path

import zmq

from engine.config import Config
from engine.contracts.faces import FaceResult
from engine.contracts.findings import Enhanced
from engine.contracts.frames import Frame
from engine.crop.selector import Selector
from engine.decode.decoder import Decoder
from engine.detect.catalog import open_detector
from engine.models import find_model
from engine.pictures.colour import bgr_from_planes
from engine.publish.encode import parts_of
from engine.publish.publisher import Publisher
from engine.super_resolve.enhancer import Enhancer
from engine.super_resolve.generator import open_generator
from engine.track.tracker import Tracker


class StageCosts:
    """CPU seconds by stage; one thread, so waiting and other processes do not count."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self.items: dict[str, int] = defaultdict(int)
        self._since = time.process_time()

    def begin(self) -> None:
        self._since = time.process_time()

    def end(self, stage: str, items: int = 1) -> None:
        """Charge the time since the last mark to a stage."""
        now = time.process_time()
        self.seconds[stage] += now - self._since
        self.items[stage] += items
        self._since = now

    @property
    def total(self) -> float:
        return sum(self.seconds.values())


def measure_stages(config: Config) -> StageCosts:
    """Run the stages one after the other in this process, as the workers chain them."""
    costs, ids = StageCosts(), itertools.count(1)
    detector = open_detector(config.detect, find_model)
    enhancer = Enhancer(open_generator(config.super_resolve, find_model), 1.0, config.crop.max_size_px)
    tracker, selector = Tracker(config.track, 25.0, ids.__next__), Selector(config.crop)
    publisher = Publisher(config.publish, "bench", zmq.Context.instance())
    with Decoder("bench", Path(config.sources[0].uri), config.decode) as decoder:
        costs.begin()
        for item in decoder:
            if not isinstance(item, Frame):
                continue
            costs.end("decode")
            (found,) = detector.detect([item.planes])
            costs.end("detect")
            faces, _ = tracker.update(item.time, found)
            costs.end("track")
            crops = selector.offer(item, faces)
            costs.end("crop", len(crops))
            for crop in crops:
                _finish(costs, config, enhancer, publisher, crop)
    publisher.close()
    detector.close()
    return costs


def _finish(costs: StageCosts, config: Config, enhancer: Enhancer, publisher: Publisher, crop) -> None:
    original = bgr_from_planes(crop.planes)
    (face,) = enhancer.enhance([crop])
    costs.end("super_resolve")
    parts, payloads = parts_of(config.publish, original, face.bgr if face else None, None, face.model if face else "")
    costs.end("encode")
    enhanced = face and Enhanced(face.model, face.scale, face.lr_consistency_db)
    publisher.send(FaceResult(crop.sighting, enhanced, "none", [], 0, parts), payloads)
    costs.end("publish")
