"""The command `trt-build track evaluate` without its command line: one table of all methods, sizes and kinds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

import engine
from engine.contracts.frames import Uint8
from engine.models.catalog import find_model
from engine.super_resolve.track_network import TrackNetwork
from trt_build.errors import DataError
from trt_build.measures.bootstrap import Draws, draw_people
from trt_build.networks.onnx_generator import OnnxGenerator
from trt_build.protocols.generators.picture_scores import COLUMNS, PictureScores, score_pictures
from trt_build.protocols.generators.results import Column, Drawn, MethodNote, Results, Row, Strip, rows_of
from trt_build.protocols.generators.samples import chosen, strip
from trt_build.protocols.tracks import pictures as names
from trt_build.protocols.tracks.clip_sets import Clips
from trt_build.protocols.tracks.pictures import SCALE, Pictures, Tools, fused_alone, make_pictures
from trt_build.protocols.tracks.track_sets import KINDS, SIZES_PX, TrackSet, simulated, two_pictures_each, with_strangers
from trt_build.protocols.tracks.verified import FMR, VECTORS, Verification
from trt_build.work import Done, WorkCount

GENERATOR = "compact_fine_x4"
_COLUMNS = (
    *(one for one in COLUMNS if one.key in ("psnr_db", "ssim", "lr_consistency_db", "false_detail")),
    Column("below_one", "below one frame", 2, -1, "Share of tracks whose PSNR is below that of their first frame, enhanced."),
    Column("over_best_db", "over the best frame", 2, 1, "PSNR less that of the best frame, chosen by the truth, in dB."),
    Column("over_mean_db", "over the mean", 2, 1, "PSNR less that of the mean of the registered enhanced frames, in dB."),
    Column("stranger_db", "with a stranger", 2, 1, "Change of the PSNR in dB when one frame is of another person."),
    Column("cosine", "cosine", 4, 1, "Mean cosine with the truth's vector, by dlib."),
    Column("tar", "TAR", 3, 1, f"True accept rate at a false match rate of {FMR:g} against another photograph, by dlib."),
    Column("tar_over_one", "TAR over one", 3, 1, "TAR less that of one random frame, enhanced."),
    Column("tar_over_vectors", "TAR over vectors", 3, 1, "TAR less that of the mean of the frames' vectors."),
    Column("off_px", "off by", 3, -1, "Median error of registration over the face, in pixels of the frames."),
    Column("off_p99_px", "99 % off by", 2, -1, "Error that 99 % of the frames are below."),
    Column("rejected", "rejected", 3, 0, "Share of frames that the gate left out."),
    Column("caught", "strangers caught", 3, 1, "Share of the frames of another person that the gate left out."),
)  # fmt: skip
_SHOWN = 3


@dataclass(frozen=True)
class Request:
    """What to measure."""

    network: Path | None
    """Manifest of a network that fuses tracks."""
    data: Path
    """Faces, in one folder for each person."""
    clips: Sequence[Path] = ()
    kinds: Sequence[str] = KINDS
    sizes_px: Sequence[int] = SIZES_PX
    verified: Sequence[str] = ("crf23", "crf28")
    """Kinds for which recognition is measured, too, which takes most of the time."""
    people: int | None = None
    rounds: int = 500
    seed: int = 2024
    cache: Path | None = None


def evaluate_tracks(request: Request, done: Done) -> tuple[Results, list[Strip]]:
    """Measure all methods.

    Raises:
        DataError: the data are missing, damaged or too few.
        ModelError: a model is missing or fails.
        MissingRuntimeError: dlib is not installed, and recognition is to be measured.
    """
    cache = request.cache or user_cache_path("facestream")
    found = find_model(GENERATOR)
    if found is None:
        raise DataError(f"The default network {GENERATOR} is not installed: install facestream with its models.")
    generator = OnnxGenerator(found, threads=1)
    network = TrackNetwork(request.network) if request.network else None
    bench = _Bench(Tools(generator, network), request, done)
    people = two_pictures_each(request.data, request.people, request.seed)
    verification = Verification(people, cache, bench.embedded) if set(request.verified) & set(request.kinds) else None
    for px, kind in product(request.sizes_px, request.kinds):
        tracks = simulated(people, kind, px, request.seed, cache, done)
        bench.measure(tracks, verification if kind in request.verified else None)
    clips = Clips(request.clips, done) if request.clips else None
    for px, kind in product(request.sizes_px, request.kinds):
        if clips is not None and kind != "camera":
            crf = int(kind.removeprefix("crf")) if kind.startswith("crf") else None
            bench.measure(clips.tracks(px, crf, request.seed), None)
    notes = [MethodNote(names.ONE, SCALE, GENERATOR, generator.manifest.sha256)]
    notes += [MethodNote(names.NETWORK, SCALE, network.name, network.sha256)] if network else []
    facts: dict[str, str | int] = {"people": len(people.names), "seed": request.seed, "bootstrap rounds": request.rounds}
    columns = [one for one in _COLUMNS if any(one.key in row.figures for row in bench.rows)]
    about = ["Each track has eight frames within a second. All pictures are in the place of the first, which is a random one."]
    results = Results(
        protocol="tracks",
        baseline=names.ONE,
        about=about,
        columns=columns,
        rows=bench.rows,
        methods=notes,
        data=facts,
        versions={"facestream": engine.__version__},
    )
    return results, bench.strips


class _Bench:
    """Collects rows and pictures."""

    def __init__(self, tools: Tools, request: Request, done: Done) -> None:
        self._tools, self._request, self._done = tools, request, done
        self.rows: list[Row] = []
        self.strips: list[Strip] = []
        self._embedded = 0

    def embedded(self, count: int) -> None:
        self._embedded += count
        self._done("embedding", self._embedded, 0)

    def measure(self, tracks: TrackSet, verification: Verification | None) -> None:
        """Add the rows of one set."""
        draws = draw_people(tracks.people, self._request.rounds, self._request.seed)
        made = make_pictures(tracks, self._tools, self._count(tracks, "fusing"))
        scores = {name: _scores(some, tracks, made.places.get(name)) for name, some in made.by_method.items()}
        drawn = {name: one.drawn(draws) for name, one in scores.items()}
        for name, one in drawn.items():
            one["below_one"] = draws.means((scores[name].psnr_db < scores[names.ONE].psnr_db).astype(np.float64))
            one["over_best_db"] = one["psnr_db"] - drawn[names.BEST]["psnr_db"]
            one["over_mean_db"] = one["psnr_db"] - drawn[names.MEAN]["psnr_db"]
        self._add_strangers(tracks, scores, draws, drawn)
        drawn[names.MEAN] |= _registration(made, draws)
        if verification is not None:
            told = verification.measure(tracks, made, draws)
            for name, one in told.items():
                one["tar_over_one"] = one["tar"] - told[names.ONE]["tar"]
                one["tar_over_vectors"] = one["tar"] - told[VECTORS]["tar"]
                drawn.setdefault(name, {}).update(one)
        self.rows += rows_of(drawn, names.ONE, (tracks.kind, tracks.low_px, SCALE))
        self._show(tracks, made)

    def _add_strangers(
        self, tracks: TrackSet, scores: dict[str, PictureScores], draws: Draws, drawn: dict[str, dict[str, Drawn]]
    ) -> None:
        mixed, places = with_strangers(tracks, self._request.seed)
        fused, agreed = fused_alone(mixed, self._tools, self._count(tracks, "fusing with strangers"))
        for name, some in fused.items():
            drawn[name]["stranger_db"] = draws.means(_scores(some, mixed).psnr_db - scores[name].psnr_db)
        caught = ~agreed[np.arange(len(places)), places]
        drawn[names.MEAN]["caught"] = draws.means(caught.astype(np.float64))

    def _count(self, tracks: TrackSet, what: str) -> Callable[[], None]:
        what = f"{what} {tracks.kind} {tracks.low_px} px"
        return partial(WorkCount(self._done, {what: len(tracks.low)}).add, what)

    def _show(self, tracks: TrackSet, made: Pictures) -> None:
        title = f"{tracks.kind}, {tracks.low_px} px"
        for at in chosen(len(tracks.low), _SHOWN, self._request.seed):
            results = {name: some[at] for name, some in made.by_method.items()}
            self.strips.append(strip(title, tracks.people[at], tracks.low[at, 0], results, tracks.truth[at]))


def _scores(some: Uint8, tracks: TrackSet, places: NDArray[np.int64] | None = None) -> PictureScores:
    """Score pictures against the truth of the first frames, or of the frames ``places`` (T,)."""
    if places is None or tracks.truths is None:
        return score_pictures(some, tracks.truth, tracks.low[:, 0], SCALE)
    each = np.arange(len(places))
    return score_pictures(some, tracks.truths[each, places], tracks.low[each, places], SCALE)


def _registration(made: Pictures, draws: Draws) -> dict[str, Drawn]:
    """Return the errors of registration and the frames that the gate left out, without the first frames."""
    found = {"rejected": draws.means(1 - made.agreed[:, 1:].mean(axis=1))}
    errors = made.errors_px[:, 1:].astype(np.float64)
    if not np.isnan(errors).any():
        for key, share in (("off_px", 0.5), ("off_p99_px", 0.99)):
            value = np.full(len(draws.counts), np.nan)
            value[0] = np.quantile(errors, share)
            found[key] = value
    return found
