"""Adapts dlib's network to small faces, or trains a small one, while the vectors of sharp faces stay unchanged."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from engine.contracts.frames import Float32
from engine.models.dlib_embedder import packaged_weights
from engine.models.dlib_resnet import INPUT, build_dlib_resnet
from engine.models.dlib_weights import DlibWeights, read_dlib_weights
from engine.sessions.session import SessionSpec, open_session
from trt_build.array_files import write_array
from trt_build.data.chips import ChipBatches, ChipFaces, as_input, load_chip_faces
from trt_build.errors import DataError
from trt_build.measures.verification import Trial, generated_pairs, seeded_folds, tar_at_fmr
from trt_build.networks.dlib_resnet import DlibResNet
from trt_build.recipes.embedder import EmbedderLossSpec, EmbedderRecipe
from trt_build.training import loop
from trt_build.training.checkpoint import check_unchanged, last_checkpoint, load_averaged, recipe_of
from trt_build.training.loop import Watcher, loaded_batches
from trt_build.training.run_state import Row, RunState
from trt_build.work import Done

SCHEMA = "facestream-embedder/1"
VALIDATED_PX = (12, 16, 24, 32)
_PREFETCH = 4
_FMR = 0.01
_CHUNK = 16
State = RunState[EmbedderRecipe, DlibResNet]


def train_embedder(recipe: EmbedderRecipe, folder: Path, watcher: Watcher, *, resume: bool = False) -> State:
    """Adapt the packaged network, on a GPU if there is one, into ``folder`` (last.pt, best.pt, validation.csv, cache/).

    Raises:
        RecipeError: the folder holds a run and ``resume`` is false, or one of another network.
        DataError: faces are missing.
        TrainingError: there is nothing to resume, or the loss is not finite.
    """
    before = last_checkpoint(folder, SCHEMA, resume=resume)
    if before is not None:
        began = recipe_of(before, EmbedderRecipe, f"The run in '{folder}'")
        check_unchanged(began, recipe, ("adapted_blocks", "faces", "seed"))
    cache, spec = folder / "cache", recipe.faces
    everyone = load_chip_faces(Path(spec.train), Path(spec.teacher), cache, watcher.on_prepare)
    training, validation = everyone.split(spec.kept_apart, recipe.seed)
    check_split(training, validation, spec.train)
    weights = read_dlib_weights(packaged_weights())
    batches = loaded_batches(ChipBatches(training, recipe), before["step"] if before else 0, recipe.loaders, _PREFETCH, "fork")
    targets = sharp_vectors(training, weights, cache, watcher.on_prepare)
    state = new_state(recipe, weights)
    if before is not None:
        state.restore(before)
    return Trainer(state, batches, targets, training.people, validation, folder, watcher).run()


def check_split(training: ChipFaces, apart: ChipFaces, source: str) -> None:
    """Refuse faces that are unsuitable for training or validation.

    Raises:
        DataError: nobody is left for training, or those kept apart do not make pairs of one person and of two.
    """
    sizes = Counter(apart.people)
    if not len(training) or len(sizes) < 2 or max(sizes.values()) < 2:
        raise DataError(
            f"'{source}' has too few people: of {len(sizes)} that are kept apart at least two are needed, one of them with two "
            "pictures, and others to train on. Give more people, or another faces.kept_apart."
        )


def new_state(recipe: EmbedderRecipe, weights: DlibWeights) -> State:
    """Start with dlib's own weights."""
    torch.manual_seed(recipe.seed)
    return RunState.begin(recipe, network_of(recipe, weights))


def network_of(recipe: EmbedderRecipe, weights: DlibWeights) -> DlibResNet:
    """Return the untrained network of a recipe; it computes in float32 on a GPU too."""
    torch.backends.cudnn.allow_tf32 = False  # by default torch computes convolutions with 10 bits of mantissa
    network = DlibResNet(weights)
    network.freeze_from(recipe.adapted_blocks)
    return network


def load_embedder(path: Path, weights: DlibWeights) -> tuple[DlibResNet, EmbedderRecipe]:
    """Return the averaged network of a checkpoint, ready to run, and its recipe; ``weights`` give its shape.

    Raises:
        TrainingError: it cannot be read, or this version cannot read its recipe.
        RecipeError: it holds another network than its recipe says.
    """
    return load_averaged(path, SCHEMA, EmbedderRecipe, lambda recipe: network_of(recipe, weights))[:2]


def sharp_vectors(faces: ChipFaces, weights: DlibWeights, cache: Path, done: Done) -> Float32:
    """Return the vectors of all sharp chips, plain and mirrored, (N, 2, 128); cached in ``cache``."""
    key = hashlib.sha256(faces.images.tobytes() + faces.matrices.tobytes()).hexdigest()[:12]
    path = cache / f"targets-float32-{key}.npy"  # earlier versions stored some in bfloat16, as targets-KEY
    if path.exists():
        stored: Float32 = np.load(path)
        return stored
    vectors = np.empty((len(faces), 2, 128), np.float32)
    with open_session(SessionSpec(build_dlib_resnet(weights), name="dlib's network")) as session:
        for index in range(len(faces)):
            chip = faces.sharp_chip(index)
            vectors[index] = session.run({INPUT: as_input(np.stack([chip, chip[:, ::-1]]))})[0]
            done("sharp vectors", index + 1, len(faces))
    write_array(path, vectors)
    return vectors


def adaptation_loss(
    vectors: Tensor, targets: Tensor, sharp: Tensor, everyone: Tensor, rivals: Tensor, spec: EmbedderLossSpec
) -> tuple[Tensor, dict[str, float]]:
    """Return the loss and its parts.

    Args:
        vectors: (B, 128) of the input faces.
        targets: (B, 128) of the same faces when sharp.
        sharp: (B,) whether the input face is sharp.
        everyone: (N, 128) sharp vectors of all faces.
        rivals: (B, N) which of them belong to other people.
        spec: the weights.
    """
    apart = (vectors - targets).pow(2).sum(dim=1)
    distance = (apart * torch.where(sharp, spec.sharp, spec.distance)).mean()
    logits = -torch.cdist(vectors, everyone).pow(2) / spec.temperature
    logits = logits.masked_fill(~rivals, -torch.inf)
    own = -apart[:, None] / spec.temperature
    rank = functional.cross_entropy(
        torch.cat([own, logits], dim=1), torch.zeros(len(vectors), dtype=torch.long, device=own.device)
    )
    parts = {
        "small": float(apart[~sharp].detach().mean()),
        "sharp": float(apart[sharp].detach().mean()),
        "rank": float(rank.detach()),
    }
    return distance + spec.rank * rank, parts


class Trainer(loop.Trainer[EmbedderRecipe, DlibResNet]):
    """See ``loop.Trainer``."""

    schema = SCHEMA

    def __init__(
        self,
        state: State,
        batches: Iterator[list[Tensor]],
        targets: Float32,
        people: tuple[str, ...],
        validation: ChipFaces,
        folder: Path,
        watcher: Watcher,
    ) -> None:
        super().__init__(state, batches, folder, watcher)
        self._targets = torch.from_numpy(targets).to(self._device)
        self._people = torch.from_numpy(np.unique(people, return_inverse=True)[1]).to(self._device)
        self._validation = validation

    def _loss(self, batch: list[Tensor], fraction: float) -> tuple[Tensor, dict[str, float]]:
        chips, indices, mirrored, sharp = batch
        vectors = self._state.model(chips.float())
        targets = self._targets[indices, mirrored.long()]
        rivals = self._people[indices][:, None] != self._people[None]
        return adaptation_loss(vectors, targets, sharp, self._targets[:, 0], rivals, self._state.recipe.loss)

    def _measure(self) -> Row:
        recipe = self._state.recipe
        chosen = np.random.default_rng(recipe.seed).permutation(len(self._validation))[: recipe.validation_faces]
        pairs = generated_pairs([self._validation.people[index] for index in chosen], recipe.seed)
        folds = seeded_folds(pairs.same, recipe.seed)
        sharp = self._vectors([self._validation.sharp_chip(index) for index in chosen])
        row = {}
        for side in (0, *VALIDATED_PX):
            low = self._vectors([self._validation.small_chip(index, side) for index in chosen]) if side else sharp
            apart = np.linalg.norm(sharp[pairs.left] - low[pairs.right], axis=1).astype(np.float64)
            row[f"tar_{side or 'sharp'}"] = tar_at_fmr(Trial(apart, pairs.same, folds), _FMR, np.ones(len(apart)))
        return row | {"merit": float(np.mean([row[f"tar_{side}"] for side in VALIDATED_PX]))}

    def _vectors(self, chips: list[Any]) -> Float32:
        """Return the averaged network's vectors, of length 1."""
        parts = []
        with torch.inference_mode():
            for at in range(0, len(chips), _CHUNK):
                some = torch.from_numpy(np.stack(chips[at : at + _CHUNK])[:, None]).float().to(self._device)
                parts.append(functional.normalize(self._state.ema(some)).cpu().numpy())
        return np.concatenate(parts)
