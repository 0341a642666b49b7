"""Trains a second look: from windows to checkpoints and validation rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from engine.contracts.frames import Float32, Uint8
from engine.detect.face_places import POINTS
from engine.detect.face_windows import CONTEXTS
from engine.sessions.session import SessionSpec, open_session
from trt_build.networks.second_look import SecondLook
from trt_build.recipes.second_look import SecondLookRecipe
from trt_build.systems.second_look.candidates import Candidates
from trt_build.systems.second_look.export import INPUT
from trt_build.systems.second_look.material import candidates_apart, training_candidates
from trt_build.systems.second_look.samples import WindowBatches, plain_windows
from trt_build.training import loop
from trt_build.training.checkpoint import check_unchanged, last_checkpoint, load_averaged, recipe_of
from trt_build.training.loop import Watcher, loaded_batches
from trt_build.training.run_state import Row, RunState
from trt_build.training.unfolding import calibrate, folded_weights, matched, open_exported
from trt_build.work import Done
from trt_build.writing import make_folder

SCHEMA = "facestream-second-look/1"
_PREFETCH = 6
_AT_ONCE = 512
_START_BATCHES = 20
_WRONG = 3.0
"""Loss above which candidates do not count as harder."""
_PLACE = 0.02
"""Error of a place, as a share of the square's side, up to which its loss is quadratic."""
_KEPT_FACES = (0.95, 0.98, 0.99)
"""Shares of faces kept, at which the share of refused false alarms is reported."""
State = RunState[SecondLookRecipe, SecondLook]


def train_second_look(recipe: SecondLookRecipe, folder: Path, watcher: Watcher, *, resume: bool = False) -> State:
    """Train ``recipe`` into ``folder`` (last.pt, best.pt, validation.csv, cache/); on a GPU where there is one.

    Raises:
        RecipeError: the folder holds a run and ``resume`` is false, or one of another network.
        DataError: material is missing.
        ModelError: the detector cannot be opened.
        TrainingError: there is nothing to resume, or the loss is not finite.
    """
    before = last_checkpoint(folder, SCHEMA, resume=resume)
    if before is not None:
        check_unchanged(recipe_of(before, SecondLookRecipe, f"The run in '{folder}'"), recipe, ("widths",))
    cv2.setNumThreads(1)
    make_folder(folder)
    learnt = training_candidates(recipe, folder / "cache", watcher.on_prepare)
    if recipe.candidates.forgotten_from:
        *real, scenes = learnt
        asked = (Path(recipe.start), recipe.candidates.forgotten_from, watcher.on_prepare)
        learnt = [*(without_forgotten(part, *asked) for part in real), scenes]
    validation, _ = candidates_apart(recipe, folder / "cache", watcher.on_prepare)
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(1)  # the loaders are forked below, and a thread pool would not survive that
    state = RunState.begin(recipe, SecondLook(recipe.widths))
    if before is not None:
        state.restore(before)
    elif recipe.start:
        begin_as(state, Path(recipe.start), WindowBatches(learnt, recipe))
    losses = hardness(state.ema, learnt, recipe.draw.hard_from, watcher.on_prepare) if recipe.draw.hard else None
    hard = WindowBatches(learnt, recipe, losses)
    batches = loaded_batches(hard, before["step"] if before else 0, recipe.loaders, _PREFETCH, "fork")
    return Trainer(state, batches, validation, folder, watcher).run()


def without_forgotten(part: Candidates, exported: Path, least: float, done: Done) -> Candidates:
    """Leave out what is counted as no face in a picture with people though a second look takes it for one.

    The labels are a teacher's, who misses profiles and faces that look down; a better detector finds those, and they would be
    learnt as false alarms. In pictures without people nothing is left out.

    Args:
        part: some of the candidates.
        exported: the second look, an ONNX file.
        least: faceness from which.
        done: for progress.

    Raises:
        ModelError: it cannot be opened.
    """
    among_people = np.array([not picture.is_empty for picture in part.pictures], bool)
    asked = np.flatnonzero(~part.is_face & among_people[part.picture])
    kept = np.ones(len(part), bool)
    session = open_session(SessionSpec(exported, "onnxruntime"))
    try:
        for rows, some in _at_once(part, asked, "faces that nobody labelled", done):
            faceness = session.run({INPUT: plain_windows(some)[0]})[0]
            kept[rows] = faceness.reshape(-1) < least
    finally:
        session.close()
    return part.only(np.flatnonzero(kept))


def load_second_look(path: Path) -> tuple[SecondLook, SecondLookRecipe]:
    """Return the averaged network of a checkpoint, ready to run, and its recipe.

    Raises:
        TrainingError: it cannot be read, or this version cannot read its recipe.
        RecipeError: it holds another network than its recipe says.
    """
    return load_averaged(path, SCHEMA, SecondLookRecipe, lambda recipe: SecondLook(recipe.widths))[:2]


class Trainer(loop.Trainer[SecondLookRecipe, SecondLook]):
    """See ``loop.Trainer``."""

    schema = SCHEMA

    def __init__(
        self,
        state: State,
        batches: Iterator[list[Tensor]],
        validation: Candidates,
        folder: Path,
        watcher: Watcher,
    ) -> None:
        super().__init__(state, batches, folder, watcher)
        (self._windows, self._places), self._is_face = plain_windows(validation), validation.is_face

    def _loss(self, batch: list[Tensor], fraction: float) -> tuple[Tensor, dict[str, float]]:
        windows, is_face, truth = batch
        recipe, shown = self._state.recipe, windows.float().contiguous(memory_format=torch.channels_last)
        targets = is_face * (1 - 2 * recipe.smoothing) + recipe.smoothing
        with torch.autocast(self._device.type, torch.bfloat16, enabled=recipe.precision == "bfloat16"):
            logits, places = self._state.model(shown)
        each = nn.functional.binary_cross_entropy_with_logits(logits.float(), targets, reduction="none")
        hardest = each.topk(max(1, round(recipe.hardest * len(each)))).values.mean()
        known = torch.isfinite(truth)
        away = nn.functional.huber_loss(places.float()[known], truth[known], delta=_PLACE, reduction="sum")
        away = away / (_PLACE**2 * known.sum().clamp(min=1))
        return hardest + recipe.places * away, {"all": float(each.detach().mean()), "places": float(away.detach())}

    def _measure(self) -> Row:
        facenesses, places = looked(self._state.ema, self._windows)
        row = refused(facenesses, self._is_face)
        merit = float(np.mean(list(row.values())))
        return row | misplaced(places, self._places) | {"merit": merit}


def hardness(network: SecondLook, candidates: Sequence[Candidates], least: float, done: Done) -> list[Float32]:
    """Return the loss of each candidate, as found, for each part; losses above ``_WRONG`` often come from wrong labels. 0 below
    the detector's score ``least``.
    """
    losses = []
    for part in candidates:
        loss = np.zeros(len(part), np.float32)
        for rows, some in _at_once(part, np.flatnonzero(part.scores >= least), "how hard each is", done):
            faceness, _ = looked(network, plain_windows(some)[0])
            right = np.where(some.is_face, faceness, 1 - faceness)
            loss[rows] = np.minimum(-np.log(np.maximum(right, 1e-6)), _WRONG)
        losses.append(loss)
    return losses


def _at_once(
    part: Candidates, rows: NDArray[np.int64], what: str, done: Done
) -> Iterator[tuple[NDArray[np.int64], Candidates]]:
    """Yield as many rows at a time as a network is given, with their candidates; ``what`` is done, for progress."""
    for at in range(0, len(rows), _AT_ONCE):
        some = rows[at : at + _AT_ONCE]
        yield some, part.only(some)
        done(what, at, len(rows))


def begin_as(state: State, exported: Path, batches: WindowBatches) -> None:
    """Start with an exported network of the same widths.

    Raises:
        DataError: it cannot be read, or is another network.
    """
    network, known = state.model, folded_weights(open_exported(exported), exported)
    layers = matched(network, known, exported)
    with torch.no_grad():
        for layer, weight, bias in layers.values():
            layer.weight.copy_(weight)
            if layer.bias is not None:
                layer.bias.copy_(bias)
    windows = np.concatenate([batches[step][0] for step in range(_START_BATCHES)])
    shown = torch.from_numpy(windows).float().to(next(network.parameters()).device)
    calibrate(network, {name: bias for name, (_, _, bias) in layers.items()}, shown)
    state.ema.load_state_dict(network.state_dict())


def looked(network: SecondLook, windows: Uint8) -> tuple[Float32, Float32]:
    """Return faceness (N,) and places (N, 7, 2) of windows (N, contexts, 40, 40)."""
    device = next(network.parameters()).device
    facenesses, places = [np.zeros(0, np.float32)], [np.zeros((0, POINTS, 2), np.float32)]
    with torch.inference_mode():
        for at in range(0, len(windows), _AT_ONCE):
            logits, where = network(torch.from_numpy(windows[at : at + _AT_ONCE]).to(device).float())
            facenesses.append(torch.sigmoid(logits).cpu().numpy())
            places.append(where.cpu().numpy())
    return np.concatenate(facenesses), np.concatenate(places)


def misplaced(places: Float32, truth: Float32) -> dict[str, float]:
    """Return the median error of corners and of landmarks, as a share of the face's width."""
    away = np.linalg.norm(places - truth, axis=2) * CONTEXTS[0]  # width of the square in faces
    return {"corners": float(np.nanmedian(away[:, :2])), "points": float(np.nanmedian(away[:, 2:]))}


def refused(faceness: Float32, is_face: NDArray[np.bool_]) -> dict[str, float]:
    """Return the share of refused false alarms at each share of faces kept, as ``refused_95`` and so on."""
    faces, others = faceness[is_face], faceness[~is_face]
    return {f"refused_{100 * kept:.0f}": float(np.mean(others < np.quantile(faces, 1 - kept))) for kept in _KEPT_FACES}
