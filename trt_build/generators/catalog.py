"""The generators that a recipe may name: a literal table, nothing registers itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from torch import nn

from trt_build.errors import RecipeError
from trt_build.generators.compact import Compact, CompactOptions
from trt_build.generators.edsr import EDSR, EDSROptions
from trt_build.generators.rrdb import RRDBNet, RRDBOptions
from trt_build.generators.rrdn import RRDN, RRDNOptions
from trt_build.generators.srcnn import SRCNN, SRCNNOptions
from trt_build.generators.srcnn_srgan import SRCNNSRGAN, SRCNNSRGANOptions
from trt_build.generators.srgan import SRGANOptions, SRResNet


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
