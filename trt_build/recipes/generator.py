"""The recipe of a generator."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from trt_build.recipes.degradations import H264Spec, LateSpec, LearnedSpec, MixtureSpec
from trt_build.recipes.fields import NotNegative, Positive, Share, Spec
from trt_build.recipes.files import read_recipe_of
from trt_build.recipes.losses import LossSpec
from trt_build.recipes.timed import TimedRecipe


class GeneratorSpec(Spec, frozen=True):
    """Which generator of `networks/generators/catalog.py`, and its options."""

    name: str = "compact"
    options: dict[str, Any] = {}


class DataSpec(Spec, frozen=True):
    """Pictures, in zip files or folders."""

    train: str
    kind: Literal["faces", "photographs", "small_faces"] = "faces"
    """Square grey faces (`Person_Name/Person_Name_0001.jpg`), photographs of any content (`data/photographs.py`), or only small
    faces, whose truth is made by ZSSR (`data/small_faces.py`).
    """
    validation: str = ""
    """Other people, or other photographs; without it every tenth photograph or small face of `train` is kept apart."""
    hr_px: Positive = 128
    """Side of a training picture: the whole face, or a patch of a photograph."""
    scale: Positive = 4
    native_crop: Share = 0.25
    """Share of face samples cropped at the stored scale instead of shrunk to `hr_px`."""
    area_share: Share = 0.7
    """Share of clean faces shrunk by area, as in validation; the others by antialiased cubic."""
    sizes_px: tuple[Positive, ...] = ()
    """Sides of the small faces, one drawn for each batch; only `hr_px / scale` if empty. Other sizes have no H.264 and no
    learned degradations.
    """
    zooms: tuple[Annotated[float, msgspec.Meta(gt=0, le=1)], ...] = (1.0, 0.8, 0.6)
    """Photographs are shrunk to these shares of their size before patches are cut, as in the literature."""

    def __post_init__(self) -> None:
        if self.kind == "faces" and not self.validation:
            raise ValueError("faces need `validation`: a zip or folder of other people")
        if self.kind == "small_faces" and self.validation:
            raise ValueError("small_faces take every tenth of `train` for validation: leave `validation` out")
        if self.kind != "faces" and self.sizes_px:
            raise ValueError(f"{self.kind} have one size: leave `sizes_px` out")
        if self.hr_px % self.scale:
            raise ValueError("hr_px must be a multiple of scale")


class ZeroShotOptions(Spec, frozen=True):
    """How ZSSR learns each small face."""

    steps: Positive = 300
    width: Positive = 32


class ValidationSpec(Spec, frozen=True):
    """Number of validation pictures."""

    faces: Positive = 200
    seed: NotNegative = 2024


class Recipe(TimedRecipe, frozen=True, kw_only=True):
    """All settings of one training run of a generator."""

    data: DataSpec
    generator: GeneratorSpec = GeneratorSpec()
    start: dict[str, str] = {}
    """Trained generators (name, manifest, safetensors file or checkpoint) from whose weights training starts, by the part of
    the network they initialise; "" is the whole network.
    """
    mixture: MixtureSpec = MixtureSpec()
    late: tuple[LateSpec, ...] = ()
    """In the order of `from_step`."""
    h264: H264Spec = H264Spec()
    learned: LearnedSpec = LearnedSpec()
    zero_shot: ZeroShotOptions = ZeroShotOptions()
    loss: LossSpec = LossSpec()
    merit: Literal["psnr", "features"] = "psnr"
    """Criterion of the best checkpoint: the mean gain in PSNR over bicubic, or the mean gain in the distance of dlib's features
    from those of the truth, which suits networks that are not trained for PSNR alone.
    """
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
        """Return all mixtures of a run."""
        return (self.mixture, *(late.mixture for late in self.late))


def read_recipe(path: Path) -> Recipe:
    """See ``read_recipe_of``."""
    return read_recipe_of(Recipe, path)
