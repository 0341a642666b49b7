"""The training recipe: typed structs read from YAML; an unknown key is an error."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
import yaml

from engine.config_errors import explain, key_that_stands_twice
from trt_build.errors import RecipeError

Positive = Annotated[int, msgspec.Meta(ge=1)]
NotNegative = Annotated[int, msgspec.Meta(ge=0)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class _Spec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class GeneratorSpec(_Spec, frozen=True):
    """Which generator of `generators/catalog.py`, and its options."""

    name: str = "compact"
    options: dict[str, Any] = {}


class DataSpec(_Spec, frozen=True):
    """Pictures, in zip files or folders."""

    train: str
    kind: Literal["faces", "photographs", "small_faces"] = "faces"
    """Square grey faces (`Person_Name/Person_Name_0001.jpg`), photographs of any content (`photographs.py`), or small faces
    alone, whose truth is what ZSSR makes of them (`zero_shot/small_faces.py`)."""
    validation: str = ""
    """Of other people, or other photographs; without it every tenth photograph or small face of `train` is kept apart."""
    hr_px: Positive = 128
    """Side of a training picture: the whole face, or a patch of a photograph."""
    scale: Positive = 4
    native_crop: Share = 0.25
    """Share of samples of faces cut at the stored scale instead of shrunk to `hr_px`."""
    area_share: Share = 0.7
    """Of clean faces, those shrunk by area, as validation does; the others by an antialiased cubic."""
    sizes_px: tuple[Positive, ...] = ()
    """Sides of the small faces, one drawn for each batch; `hr_px / scale` alone if empty. Others than that have no H.264
    and no learned degradations."""
    zooms: tuple[Annotated[float, msgspec.Meta(gt=0, le=1)], ...] = (1.0, 0.8, 0.6)
    """Photographs are shrunk to these shares of their size before patches are cut, as the literature does."""

    def __post_init__(self) -> None:
        if self.kind == "faces" and not self.validation:
            raise ValueError("faces need `validation`: a zip or folder of other people")
        if self.kind == "small_faces" and self.validation:
            raise ValueError("small_faces take every tenth of `train` for validation: leave `validation` out")
        if self.kind != "faces" and self.sizes_px:
            raise ValueError(f"{self.kind} have one size: leave `sizes_px` out")
        if self.hr_px % self.scale:
            raise ValueError("hr_px must be a multiple of scale")


class ZeroShotOptions(_Spec, frozen=True):
    """How ZSSR learns each small face."""

    steps: Positive = 300
    width: Positive = 32


class MixtureSpec(_Spec, frozen=True):
    """Shares of the degradations in training; they are normalised to sum to 1."""

    clean: Share = 0.30
    first_order: Share = 0.40
    second_order: Share = 0.15
    h264: Share = 0.15
    learned: Share = 0.0

    def __post_init__(self) -> None:
        if self.simulated + self.h264 + self.learned <= 0:
            raise ValueError("at least one share must be above 0")

    @property
    def simulated(self) -> float:
        """Of those that are made for each sample anew, and at any size; the others come from banks."""
        return self.clean + self.first_order + self.second_order


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


class LearnedSpec(_Spec, frozen=True):
    """The bank of learned degradations, see ``trt_build.redeg``."""

    checkpoint: str = ""
    """Of DegNet and SynNet."""
    passes: Positive = 4
    """How often each face is degraded, as another real face each time."""
    noise_share: Share = 0.4
    """Of pictures that get a little noise, lest the generator learn what SynNet hides in them."""
    noise_max: float = 4.0
    """Levels."""


class OptimiserSpec(_Spec, frozen=True):
    """AdamW or SOAP with a linear warm-up and a cosine to `final_rate`, over the elapsed budget.

    SOAP (Vyas et al., "SOAP: Improving and Stabilizing Shampoo using Adam", ICLR 2025) is Adam in the eigenbasis of the
    gradients' covariance; its authors' betas are (0.95, 0.95). It costs a little more a step; SRCNN needs far fewer steps.
    """

    method: Literal["adamw", "soap"] = "adamw"
    rate: float = 2e-3
    final_rate: float = 1e-6
    warmup_steps: int = 200
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0.0
    clip_norm: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    ema_decay: float = 0.999
    cooldown: Annotated[float, msgspec.Meta(gt=0, le=1)] = 1.0
    """Last share of the budget, over which the rate falls from `rate` to `final_rate`; a run whose rate stays until then can be
    resumed with a larger budget."""


class PerceptualSpec(_Spec, frozen=True):
    """Distance of features, see `perceptual.py`."""

    weight: float
    network: Literal["dlib", "vgg16", "vgg19"] = "dlib"
    """`dlib` comes with the face embedder; the others need `weights`."""
    layers: tuple[str, ...] = ()
    """The network's usual ones if empty."""
    weights: str = ""
    """A state dict in torchvision's layout, trained on ImageNet."""
    distance: Literal["l1", "mse"] = "l1"


class AdversarialSpec(_Spec, frozen=True):
    """A discriminator that is trained against the generator."""

    weight: float
    discriminator: Literal["srgan", "patch", "unet"] = "unet"
    width: Positive = 32
    loss: Literal["bce", "hinge", "relativistic"] = "bce"
    """Goodfellow et al. 2014; Lim and Ye 2017; relativistic average: Jolicoeur-Martineau 2018, as in ESRGAN."""
    rate: float = 1e-4
    """Learning rate of the discriminator; it falls as the generator's does."""
    begin: Share = 0.0
    """Share of the budget after which it begins."""


class LossSpec(_Spec, frozen=True):
    """Weights of what a generator learns from."""

    pixel: Literal["charbonnier", "l1", "mse", "psnr"] = "charbonnier"
    """`psnr`: the mean PSNR of the pictures in dB, negative; about 0.002 weighs as much as the others do."""
    pixel_weight: float = 1.0
    charbonnier_epsilon: float = 1e-3
    fourier_weight: float = 0.05
    """Of the L1 of the Fourier coefficients of the error."""
    identity_weight: float = 0.0
    """Of the squared distance between the vectors that dlib's network gives for the result and for the truth."""
    identity_faces: Annotated[int, msgspec.Meta(ge=0)] = 0
    """How many of each batch that network looks at, which costs more than a small generator itself; all for 0."""
    consistency_weight: float = 0.0
    """Of the L1 between the result, shrunk by area, and what went in."""
    perceptual: PerceptualSpec | None = None
    adversarial: AdversarialSpec | None = None

    def __post_init__(self) -> None:
        weights = (self.pixel_weight, self.fourier_weight, self.identity_weight, self.consistency_weight)
        if self.perceptual is None and not any(weights):
            raise ValueError("one weight besides the adversarial one must be above 0")


class BudgetSpec(_Spec, frozen=True):
    """How long to train: by elapsed training minutes, or by steps (a generator's run is exactly repeatable then)."""

    minutes: Annotated[float, msgspec.Meta(gt=0)] | None = None
    steps: Annotated[int, msgspec.Meta(ge=1)] | None = None

    def __post_init__(self) -> None:
        if (self.minutes is None) == (self.steps is None):
            raise ValueError("give exactly one of minutes and steps")


class ValidationSpec(_Spec, frozen=True):
    """On how many of the validation pictures."""

    faces: Positive = 200
    seed: NotNegative = 2024


class TimedRecipe(_Spec, frozen=True, kw_only=True):
    """What all recipes share."""

    name: str
    budget: BudgetSpec
    optimiser: OptimiserSpec = OptimiserSpec()
    validate_every_minutes: float = 10.0
    batch: Positive = 16
    seed: NotNegative = 7
    threads: Positive = 2
    loaders: NotNegative = 1
    """Processes that make batches; 0: the training process itself."""


class Recipe(TimedRecipe, frozen=True, kw_only=True):
    """Everything that one training run of a generator needs."""

    data: DataSpec
    generator: GeneratorSpec = GeneratorSpec()
    start: dict[str, str] = {}
    """Trained generators (name, manifest, safetensors file or checkpoint) whose weights training begins with, by the part of
    the network that they are; "" is all of it."""
    mixture: MixtureSpec = MixtureSpec()
    late: tuple[LateSpec, ...] = ()
    """In the order of `from_step`."""
    h264: H264Spec = H264Spec()
    learned: LearnedSpec = LearnedSpec()
    zero_shot: ZeroShotOptions = ZeroShotOptions()
    loss: LossSpec = LossSpec()
    merit: Literal["psnr", "features"] = "psnr"
    """What the best checkpoint is chosen by: the mean gain in PSNR over bicubic, or the mean gain in the distance of dlib's
    features to those of the truth, which suits networks that are not trained for PSNR alone."""
    validation: ValidationSpec = ValidationSpec()
    validate_every_minutes: float = 5.0

    def __post_init__(self) -> None:
        mixtures = self.mixtures()
        starts = [late.from_step for late in self.late]
        if starts != sorted(starts):
            raise ValueError("late must stand in the order of from_step")
        if self.data.sizes_px and any(one.simulated <= 0 for one in mixtures):
            raise ValueError("data.sizes_px needs a share other than h264 and learned in every mixture")
        if any(one.learned for one in mixtures) and not self.learned.checkpoint:
            raise ValueError("mixture.learned needs `learned.checkpoint`: that of a run of `trt-build redeg train`")

    def mixtures(self) -> tuple[MixtureSpec, ...]:
        """All that come up in a run."""
        return (self.mixture, *(late.mixture for late in self.late))


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
        twice = key_that_stands_twice(text)
        recipe = msgspec.yaml.decode(text, type=kind)
    except msgspec.ValidationError as error:
        raise RecipeError(explain(str(error), kind, path, text)) from None
    except (msgspec.DecodeError, yaml.YAMLError) as error:
        raise RecipeError(f"The recipe '{path}' is not YAML: {error}") from None
    if twice:
        raise RecipeError(f"{path}, line {twice[1]}: {twice[0]}: this key appears twice.")
    return recipe


AnyTimedRecipe = TypeVar("AnyTimedRecipe", bound=TimedRecipe)


def for_minutes(recipe: AnyTimedRecipe, minutes: float) -> AnyTimedRecipe:
    """Return the recipe with another budget.

    Raises:
        RecipeError: the minutes are not above 0.
    """
    if not minutes > 0:
        raise RecipeError("--minutes must be above 0.")
    return msgspec.structs.replace(recipe, budget=BudgetSpec(minutes=minutes))


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
