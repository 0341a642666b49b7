"""What knowing the QP of whole H.265 pictures is worth to the picture made of a track's frames.

``python -m tests.bench.picture_qp --people 68`` films still faces, and shrinks clips of people who move. It prints PSNR of the
fused picture without a QP over one frame, and with the picture's QP, less 0 to 12, over that: dB, 95 % over people.
"""

from __future__ import annotations

import argparse
import dataclasses
import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import av
import numpy as np
from rich.console import Console
from rich.table import Table

from engine.contracts.coding import BlockMap
from engine.contracts.frames import Uint8
from engine.decode.hevc_qp import HevcQp
from engine.models.catalog import find_model
from engine.super_resolve.reference_consistency import keep_to_reference
from engine.super_resolve.registration import register
from engine.super_resolve.seen_shots import TrackShot
from engine.super_resolve.track_network import TrackNetwork
from engine.super_resolve.track_picture import that_agree
from tests.assets import SHARED
from trt_build.data.faces import to_size
from trt_build.data.h264_bank import Coded
from trt_build.data.tracks.clips import SCALE, film
from trt_build.measures.bootstrap import draw_people, interval
from trt_build.measures.metrics import psnr
from trt_build.measures.resample import to_levels
from trt_build.networks.onnx_generator import OnnxGenerator
from trt_build.protocols.tracks.clip_sets import Clips
from trt_build.protocols.tracks.pictures import quality_of
from trt_build.protocols.tracks.track_sets import TrackSet, clip_spec, two_pictures_each

_LESS = (0, 3, 6, 9, 12)
_TOGETHER, _SEED, _ROUNDS = 34, 2024, 1000
_QUIET = "log-level=none:pools=none:frame-threads=1"
_AS_CAMERAS = "bframes=0:aq-mode=0:no-cutree=1:bitrate={0}:vbv-maxrate={0}:vbv-bufsize={0}"


def main() -> None:
    """Film, fuse, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=Path, default=SHARED / "data" / "lfw_gray" / "val.zip")
    parser.add_argument("--clips", nargs="*", default=["eat", "help", "hungry"], help="of signers")
    parser.add_argument("--people", type=int, default=68)
    parser.add_argument("--sizes", type=int, nargs="*", default=[16, 24])
    parser.add_argument("--crf", type=int, default=26)
    parser.add_argument("--kbits", type=int, nargs=2, default=[1000, 80], help="constant rate of still and of moving faces")
    options = parser.parse_args()
    found = find_model("compact_fine_x4"), find_model("compact_track_x4")
    assert found[0] is not None, "the models are installed with facestream"
    assert found[1] is not None, "the models are installed with facestream"
    tools = OnnxGenerator(found[0], threads=1), TrackNetwork(found[1])
    table = Table(box=None)
    for heading in ("tracks", "one frame", "no QP", *(f"QP - {less}" for less in _LESS)):
        table.add_column(heading)
    for name, tracks in _sets(options):
        table.add_row(name, *_row(tracks, *tools))
    Console(width=200).print(table)


def _sets(options: argparse.Namespace) -> Iterator[tuple[str, TrackSet]]:
    people = two_pictures_each(options.faces, options.people, _SEED)
    signers = (
        Clips([SHARED / "video" / f"asl_{name}.mkv" for name in options.clips], lambda *_: None) if options.clips else None
    )
    for px in options.sizes:
        for kbits in (None, options.kbits):
            how = f"CRF {options.crf}" if kbits is None else "constant rate"
            still, moving = (_coder(options.crf, kbits and kbits[at]) for at in (0, 1))
            sharp = to_size(people.probes, SCALE * px)
            parts = [
                film(sharp[start : start + _TOGETHER], clip_spec("crf23"), np.random.default_rng((_SEED, px, start)), px, still)
                for start in range(0, len(sharp), _TOGETHER)
            ]
            low, truth, affine = (np.concatenate([getattr(one, part) for one in parts]) for part in ("low", "truth", "affine"))
            qp = np.concatenate([one.qp for one in parts if one.qp is not None])
            yield f"still, {how}, {px} px", TrackSet(how, px, low, truth, affine, people.names, qp=qp)
            if signers is not None:
                yield f"signers, {how}, {px} px", signers.tracks(px, options.crf, _SEED, moving)


def _coder(crf: int, kbits: int | None) -> Callable[[Iterable[Uint8], tuple[int, int], int, str, int], list[Coded]]:
    """Return what encodes with H.265, by another quality or rate than it is told."""

    def code(frames: Iterable[Uint8], size: tuple[int, int], _: int, preset: str, group: int) -> list[Coded]:
        width, height = size
        more = f"{_QUIET}:keyint={group}" + ("" if kbits is None else f":{_AS_CAMERAS.format(kbits)}")
        memory, grey = io.BytesIO(), np.full((height // 2, width), 128, np.uint8)
        preset = "faster" if preset == "medium" else preset
        with av.open(memory, "w", format="mp4") as container:
            rate = {"crf": str(crf)} if kbits is None else {}
            stream = container.add_stream("libx265", rate=25, options={"preset": preset, "x265-params": more, **rate})
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            for luma in frames:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(np.concatenate([luma, grey]), format="yuv420p")))
            container.mux(stream.encode(None))
        memory.seek(0)
        with av.open(memory, "r") as opened:
            context = opened.streams.video[0].codec_context
            reader, seen = HevcQp(context.name, context.extradata), list[Coded]()
            for packet in opened.demux(video=0):
                reader.feed(packet if packet.size else None)
                for picture in packet.decode():
                    qp = reader.of(picture)
                    assert qp is not None, "x265 writes headers that can be read"
                    luma = np.array(picture.to_ndarray()[:height, :width], np.uint8)
                    seen.append((luma, BlockMap.whole(qp, width, height)))
        return seen

    return code


def _row(tracks: TrackSet, generator: OnnxGenerator, network: TrackNetwork) -> Iterator[str]:
    assert tracks.qp is not None, "all of it was encoded"
    found = np.array([_psnrs(*one, generator, network) for one in zip(tracks.low, tracks.truth, tracks.qp, strict=True)])
    draws = draw_people(tracks.people, _ROUNDS, _SEED)
    one, without, *told = found.T
    yield f"{one.mean():.2f}"
    for gain in (without - one, *(each - without for each in told)):
        told_as = interval(draws.means(gain))
        yield f"{told_as.value:+.2f} [{told_as.low:+.2f}, {told_as.high:+.2f}]"


def _psnrs(lows: Uint8, truth: Uint8, qps: np.ndarray, generator: OnnxGenerator, network: TrackNetwork) -> list[float]:
    """Return that of the first frame alone, of the fused picture without a QP, and with the QP less each of ``_LESS``."""
    enhanced, registered = generator(lows), register(list(lows), None, 0, SCALE)
    alone = psnr(enhanced[0], truth, SCALE)
    if not registered.agrees[0]:
        return [alone] * (2 + len(_LESS))
    shots = [TrackShot(low, None, quality_of(low), one, None) for low, one in zip(lows, enhanced, strict=True)]
    _, seen = that_agree(shots, registered, 0, SCALE)
    if len(seen.seen) == 1:
        return [alone] * (2 + len(_LESS))
    picture = network.fuse(seen, True)
    pictures = []
    for qp in (None, *(float(qps.mean()) - less for less in _LESS)):
        told = dataclasses.replace(seen, shots=[dataclasses.replace(shot, qp=qp) for shot in seen.shots])
        pictures.append(to_levels(keep_to_reference(picture, told)[0]))
    return [alone, *(psnr(one, truth, SCALE) for one in pictures)]


if __name__ == "__main__":
    main()
