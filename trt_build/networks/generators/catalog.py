"""The generators that a recipe may name: a literal table, nothing registers itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import msgspec
from torch import Tensor, nn

from trt_build.errors import RecipeError
from trt_build.networks.generators.compact import Compact, CompactOptions
from trt_build.networks.generators.edsr import EDSR, EDSROptions
from trt_build.networks.generators.rrdb import RRDBNet, RRDBOptions
from trt_build.networks.generators.rrdn import RRDN, RRDNOptions
from trt_build.networks.generators.srcnn import SRCNN, SRCNNOptions
from trt_build.networks.generators.srcnn_srgan import SRCNNSRGAN, SRCNNSRGANOptions
from trt_build.networks.generators.srgan import SRGANOptions, SRResNet


@dataclass(frozen=True)
class Entry:
    """A generator: its option struct and the module class built from it."""

    options: type[msgspec.Struct]
    module: type[nn.Module]


GENERATORS: Mapping[str, Entry] = {
    "compact": Entry(CompactOptions, Compact),
    "edsr": Entry(EDSROptions, EDSR),
    "rrdb": Entry(RRDBOptions, RRDBNet),
    "rrdn": Entry(RRDNOptions, RRDN),
    "srcnn": Entry(SRCNNOptions, SRCNN),
    "srcnn_srgan": Entry(SRCNNSRGANOptions, SRCNNSRGAN),
    "srgan": Entry(SRGANOptions, SRResNet),
}


def build_generator(name: str, options: Mapping[str, Any]) -> nn.Module:
    """Make generator `name` with `options`; a wrong name or option is a `RecipeError`."""
    entry = GENERATORS.get(name)
    if entry is None:
        known = ", ".join(sorted(GENERATORS))
        raise RecipeError(f"generator.name: there is no generator '{name}' (known: {known}).")
    try:
        struct = msgspec.convert(dict(options), entry.options)
    except msgspec.ValidationError as error:
        raise RecipeError(f"generator.options of '{name}': {error}.") from None
    return entry.module(struct)


def scales_of(model: nn.Module) -> tuple[int, ...]:
    """The scales of a generator that makes several pictures at once, rising; of any other none."""
    return cast(tuple[int, ...], getattr(model, "scales", ()))


def pictures_of(model: nn.Module, luma: Tensor) -> tuple[Tensor, ...]:
    """All that a generator makes of luma (N, 1, H, W): one picture (N, 1, s*H, s*W), or one for each of `scales_of`."""
    pyramid = cast(Callable[[Tensor], tuple[Tensor, ...]] | None, getattr(model, "pyramid", None))
    return (model(luma),) if pyramid is None else pyramid(luma)
