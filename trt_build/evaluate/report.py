"""The two protocols as tables for the terminal and figures for a file."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
from platformdirs import user_cache_path
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from engine.contracts.manifest import write_manifest
from trt_build.errors import DataError
from trt_build.evaluate import identity
from trt_build.evaluate.bootstrap import Interval
from trt_build.evaluate.dlib_faces import Embedder
from trt_build.evaluate.face_scores import measure_faces
from trt_build.onnx_generator import OnnxGenerator
from trt_build.train.faces import load_faces

Figures = dict[str, Any]


def faces_report(generator: OnnxGenerator, data: Path, seed: int) -> tuple[Table, Figures]:
    """PSNR and SSIM on the clean, surveillance and H.264 sets."""
    faces = load_faces(data)
    rows = measure_faces(faces, generator, generator.scale, seed)
    people = len(set(faces.identities()))
    table = Table(
        title=f"{generator.manifest.name}: {len(faces.names)} faces of {people} people, luma, "
        f"8 bits, {generator.scale}-px border; gains over OpenCV bicubic [95 % interval]"
    )
    for heading in ("set", "method", "PSNR dB", "SSIM", "PSNR gain", "SSIM gain", "LR dB"):
        table.add_column(heading)
    for row in rows:
        table.add_row(
            row.faces,
            row.method,
            f"{row.psnr:.2f}",
            f"{row.ssim:.4f}",
            _text(row.psnr_gain, 2),
            _text(row.ssim_gain, 4),
            f"{row.lr_consistency_db:.1f}",
        )
    figures = {"protocol": "faces", "faces": len(faces.names), "people": people, "seed": seed}
    return table, figures | {"model": _model(generator), "rows": [asdict(row) for row in rows]}


def identity_report(
    generator: OnnxGenerator,
    data: Path,
    pairs_file: Path,
    cache: Path | None,
    seed: int,
    console: Console,
) -> tuple[Table, Figures]:
    """Verification of original, enhanced and fused at 16, 24 and 32 px."""
    faces = load_faces(data)
    pairs = identity.read_pairs(pairs_file, faces)
    embedder = Embedder(cache or user_cache_path("facestream"))
    count = len({*pairs.left.tolist(), *pairs.right.tolist()}) * (1 + 2 * len(identity.SIZES_PX))
    try:
        with Progress(console=console) as progress:
            task = progress.add_task("embedding faces", total=count)
            gallery = identity.Gallery(faces, pairs, embedder, lambda n: progress.advance(task, n))
            vectors = identity.embeddings(gallery, generator)
    finally:
        embedder.close()
    rows = identity.compare(gallery, pairs, vectors, seed)
    table = Table(
        title=f"{generator.manifest.name}: {int(pairs.same.sum())} genuine and "
        f"{int((~pairs.same).sum())} impostor pairs, dlib ResNet [95 % interval over identities]"
    )
    for heading in ("gallery", "probe px", "picture", "accuracy", "TAR at FMR 1 %"):
        table.add_column(heading)
    for row in rows:
        size = str(row.size_px) if row.size_px else "sharp"
        table.add_row(row.gallery, size, row.picture, str(row.accuracy), str(row.tar))
    figures = {"protocol": "identity", "pairs": len(pairs.same), "fmr": identity.FMR, "seed": seed}
    return table, figures | {"model": _model(generator), "rows": [asdict(row) for row in rows]}


def record(generator: OnnxGenerator, figures: Figures) -> None:
    """Add the figures of one protocol to the model's manifest."""
    found = dict(generator.manifest.figures)
    for row in figures["rows"]:
        found |= _face_figures(row) if figures["protocol"] == "faces" else _identity_figures(row)
    rounded = {key: round(value, 4) for key, value in found.items()}
    manifest = msgspec.structs.replace(generator.manifest, figures=rounded)
    write_manifest(manifest, generator.manifest_path)


def _face_figures(row: Figures) -> dict[str, float]:
    if row["method"] == "lanczos4":
        return {}
    name, method = row["faces"], row["method"]
    found = {f"psnr_{name}_{method}_db": row["psnr"], f"ssim_{name}_{method}": row["ssim"]}
    if row["psnr_gain"] is not None:
        found[f"psnr_gain_{name}_db"] = row["psnr_gain"]["value"]
        found[f"ssim_gain_{name}"] = row["ssim_gain"]["value"]
    return found


def _identity_figures(row: Figures) -> dict[str, float]:
    if not row["size_px"]:
        return {"tar_sharp": row["tar"]["value"]}
    return {f"tar_{row['gallery']}_gallery_{row['size_px']}px_{row['picture']}": row["tar"]["value"]}


def write_json(figures: Figures, path: Path) -> None:
    """Write the figures as indented JSON."""
    try:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(figures), indent=2) + b"\n")
    except OSError as error:
        raise DataError(f"The figures cannot be written to '{path}': {error.strerror}.") from None


def _model(generator: OnnxGenerator) -> dict[str, str]:
    return {"name": generator.manifest.name, "sha256": generator.manifest.sha256}


def _text(value: Interval | None, digits: int) -> str:
    if value is None:
        return ""
    return f"{value.value:+.{digits}f} [{value.low:+.{digits}f}, {value.high:+.{digits}f}]"
