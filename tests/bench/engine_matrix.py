"""Every model that ships, built by TensorRT-RTX for every compute capability and precision, without a GPU: `make engines`.

    python -m tests.bench.engine_matrix --precision fp32,fp16,bf16

Nothing is kept; each line has the sizes of a model's engines in MB, and what cannot be built is named.
"""

from __future__ import annotations

import argparse
import sys
import time

from rich.console import Console

from engine.contracts.manifest import read_manifest
from engine.errors import FacestreamError
from engine.models.catalog import embedded_manifests, models_dir
from engine.models.dlib_embedder import dlib_embedder
from engine.sessions.tensorrt_api import FLAVOURS
from trt_build.engines.gpus import capabilities
from trt_build.engines.targets import Order, make, pixels_of, profile_on, target_of

CONSOLE = Console()
TARGET = "tensorrt-rtx"


def main() -> int:
    """Build and print; returns how many could not be built."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--precision", default="fp32,fp16")
    options = parser.parse_args()
    dlib = dlib_embedder(models_dir())
    names = FLAVOURS[TARGET].capabilities
    failed, began = [], time.monotonic()
    CONSOLE.print(f"{'':24}{'':6}" + "".join(f"{name:>7}" for name in names))
    for path in [*embedded_manifests(), dlib, dlib.with_name("dlib_small.json")]:
        described = read_manifest(path)
        if described.kind == "track":  # no engine is built of it
            continue
        for precision in options.precision.split(","):
            cells = []
            for name in names:
                try:
                    capabilities(TARGET, name, precision)
                    spec = target_of(TARGET, precision, described.kind)
                    pixels = pixels_of(spec, described.kind, capability=name)
                    made = make(Order(path, described, spec, precision, profile_on(spec, path, described), name, pixels=pixels))
                    cells.append(f"{len(made.content) / 1e6:.2f}")
                except FacestreamError as error:
                    cells.append("-")
                    failed.append(f"{described.name} {precision} {name}: {error}")
            CONSOLE.print(f"{described.name:24}{precision:6}" + "".join(f"{cell:>7}" for cell in cells))
    for line in failed:
        CONSOLE.print(line, soft_wrap=True, markup=False)
    CONSOLE.print(f"{time.monotonic() - began:.0f} s, {len(failed)} not built")
    return len(failed)


if __name__ == "__main__":
    sys.exit(bool(main()))
