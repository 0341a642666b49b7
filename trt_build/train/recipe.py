"""The training recipe: typed structs read from YAML; an unknown key is an error."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypeVar

import msgspec

from engine.config_errors import explain
from trt_build.errors import RecipeError

Positive = Annotated[int, msgspec.Meta(ge=1)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class _Spec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class GeneratorSpec(_Spec, frozen=True):
    """Which generator of `generators/catalog.py`, and its options."""

    name: str = "compact"
    options: dict[str, Any] = {}


class DataSpec(_Spec, frozen=True):
    """Faces: zip files or folders of square grey faces (`Person_Name/Person_Name_0001.jpg`)."""

    train: str
    validation: str
    hr_px: Positive = 128
    scale: Positive = 4
    native_crop: Share = 0.25
    """Share of samples cut at the stored scale instead of shrunk to `hr_px`."""
    sizes_px: tuple[Positive, ...] = ()
    """Sides of the small faces, one drawn for each batch; `hr_px / scale` alone if empty. Others than that have no H.264."""


class MixtureSpec(_Spec, frozen=True):
    """Shares of the degradations in training; they are normalised to sum to 1."""

    clean: Share = 0.30
    first_order: Share = 0.40
    second_order: Share = 0.15
    h264: Share = 0.15

    def __post_init__(self) -> None:
        if self.clean + self.first_order + self.second_order + self.h264 <= 0:
            raise ValueError("at least one share must be above 0")


class LateSpec(_Spec, frozen=True):
    """Other shares from a step on, once the hard samples have taught what they can."""

    from_step: Positive
    mixture: MixtureSpec


class H264Spec(_Spec, frozen=True):
    """The H.264 bank: how often each face is encoded and how hard."""

    passes: Positive = 4
    frames: Annotated[int, msgspec.Meta(ge=6)] = 12
    crf_min: int = 23
    crf_max: int = 38
    noise_max: float = 4.0

    def __post_init__(self) -> None:
        if not 0 <= self.crf_min <= self.crf_max <= 51:
            raise ValueError("crf_min and crf_max must be in order within 0 to 51")


class OptimiserSpec(_Spec, frozen=True):
    """AdamW with a linear warm-up and a cosine to `final_rate`, over the elapsed budget."""

    rate: float = 2e-3
    final_rate: float = 1e-6
    warmup_steps: int = 200
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.0
    clip_norm: float = 1.0
    ema_decay: float = 0.999


class LossSpec(_Spec, frozen=True):
    """Charbonnier (weight 1) plus an L1 on the Fourier coefficients, plus the identity."""

    charbonnier_epsilon: float = 1e-3
    fourier_weight: float = 0.05
    identity_weight: float = 0.0
    """Of the squared distance between the vectors that dlib's network gives for the result and for the truth."""


class BudgetSpec(_Spec, frozen=True):
    """How long to train: by elapsed training minutes, or by steps (then exactly repeatable)."""

    minutes: Annotated[float, msgspec.Meta(gt=0)] | None = None
    steps: Annotated[int, msgspec.Meta(ge=1)] | None = None

    def __post_init__(self) -> None:
        if (self.minutes is None) == (self.steps is None):
            raise ValueError("give exactly one of minutes and steps")


class ValidationSpec(_Spec, frozen=True):
    """How often to validate and keep a checkpoint, and on how many of the validation faces."""

    every_minutes: float = 5.0
    faces: Positive = 200
    seed: int = 2024


class Recipe(_Spec, frozen=True):
    """Everything that one training run needs."""

    name: str
    data: DataSpec
    budget: BudgetSpec
    generator: GeneratorSpec = GeneratorSpec()
    start: str = ""
    """Name or manifest of an exported generator of the same kind whose weights training begins with."""
    mixture: MixtureSpec = MixtureSpec()
    late: tuple[LateSpec, ...] = ()
    """In the order of `from_step`."""
    h264: H264Spec = H264Spec()
    optimiser: OptimiserSpec = OptimiserSpec()
    loss: LossSpec = LossSpec()
    validation: ValidationSpec = ValidationSpec()
    batch: Positive = 16
    seed: int = 7
    threads: Positive = 2

    def __post_init__(self) -> None:
        mixtures = (self.mixture, *(late.mixture for late in self.late))
        if self.data.sizes_px and any(one.clean + one.first_order + one.second_order <= 0 for one in mixtures):
            raise ValueError("data.sizes_px needs a share other than h264 in every mixture")


class TimedRecipe(_Spec, frozen=True, kw_only=True):
    """What the recipes of detectors and embedders share."""

    name: str
    budget: BudgetSpec
    optimiser: OptimiserSpec = OptimiserSpec()
    validate_every_minutes: float = 10.0
    batch: Positive = 16
    seed: int = 7
    threads: Positive = 2
    loaders: int = 1
    """Processes that make batches."""


AnyRecipe = TypeVar("AnyRecipe", bound=msgspec.Struct)


def read_recipe(path: Path) -> Recipe:
    """Read and check the recipe of a generator; any mistake is a `RecipeError` that names the key and its line."""
    return read_recipe_of(Recipe, path)


def read_recipe_of(kind: type[AnyRecipe], path: Path) -> AnyRecipe:
    """The same for any kind of recipe."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"The recipe '{path}' cannot be read: {error}") from None
    try:
        return msgspec.yaml.decode(text, type=kind)
    except msgspec.ValidationError as error:
        raise RecipeError(explain(str(error), kind, path, text)) from None
    except msgspec.DecodeError as error:
        raise RecipeError(f"The recipe '{path}' is not YAML: {error}") from None


def find_recipe(name: str) -> Path:
    """A recipe by path, or by name from `configs/train` of the source tree or working folder."""
    path = Path(name)
    if path.suffix in (".yaml", ".yml") or path.exists():
        return path
    folders = [Path(__file__).parents[2] / "configs" / "train", Path("configs/train")]
    for folder in folders:
        if (folder / f"{name}.yaml").is_file():
            return folder / f"{name}.yaml"
    known = sorted({found.stem for folder in folders for found in folder.glob("*.yaml")})
    raise RecipeError(f"There is no recipe '{name}' (known: {', '.join(known) or 'none'}).")
