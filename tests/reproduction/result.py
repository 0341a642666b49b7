"""A small result as a run leaves it: the same cores, in one process."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import av
import cv2
import msgspec
import numpy as np
from skimage.data import astronaut

from engine import __version__
from engine.archive.writer import DirectorySink
from engine.config import Config, CropConfig, DetectConfig, OutputConfig, VerifyConfig
from engine.contracts.faces import TrackClosed
from engine.contracts.recording import Recording
from engine.enhancement import models as enhancing
from engine.perception import models as perceiving
from engine.perception.track_ids import TrackIds
from engine.publish.numbering import Numbering
from engine.reproduction.again import followed_again
from engine.runtime.telemetry import Telemetry
from tests.publish.samples import stream_event


def video(path: Path, frames: int = 14, codec: str = "libx264", options: dict[str, str] | None = None) -> Path:
    """Write somebody who moves a little from picture to picture."""
    picture = cv2.resize(cv2.cvtColor(astronaut(), cv2.COLOR_RGB2BGR), (256, 256), interpolation=cv2.INTER_AREA)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10, options=options)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for index in range(frames):
            canvas = np.full((240, 320, 3), 90, np.uint8)
            canvas[:, 20 + index : 276 + index] = picture[:240]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(canvas, format="bgr24")))
        container.mux(stream.encode())
    return path


def settings(directory: Path, gallery: Path) -> Config:
    return Config(
        detect=DetectConfig(every=2),
        crop=CropConfig(interval_seconds=0.5),
        verify=VerifyConfig(gallery=str(gallery)),
        output=OutputConfig(directory=str(directory)),
    )


def write_result(directory: Path, recording: Path, gallery: Path) -> Path:
    """Write what a run over the recording finds."""
    config, source = settings(directory, gallery), Recording("clip", recording)
    telemetry, numbering = Telemetry("test"), Numbering("run1")
    with (
        closing(perceiving.OpenModels(config, print)) as looking,
        closing(enhancing.OpenModels(config, print, prompt=False)) as enlarging,
    ):
        run = {
            "run_id": "run1",
            "config": msgspec.to_builtins(config),
            "versions": {"facestream": __version__},
            "inputs": {"clip": source.facts()},
            "workers": {"perceive": looking.facts, "enhance-1": enlarging.facts},
        }
        sink = DirectorySink(config.output, run)
        facts = source.facts()
        sink.record_input("clip", facts["path"], facts["size_bytes"], source.sha256(), facts["mtime_ns"])
        core = enlarging.core(telemetry)
        for item in followed_again(source, config, looking.core(telemetry, TrackIds(7)), lambda frame: None):
            said = [core.close_track(item)] if isinstance(item, TrackClosed) else core.finish([item], core.enlarge([item]))
            for one in said:
                sink.write(numbering.stamp(one.body), one.payloads)
        sink.write(numbering.stamp(stream_event("clip", "ended", "end_of_file")), [])
        sink.close("completed", {"workers": run["workers"]})
    return directory
