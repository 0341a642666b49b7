"""A generator that is an ONNX file, driven by the manifest beside it."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from msgspec.structs import replace

from engine.contracts.engine_manifest import MASK
from engine.contracts.frames import Uint8
from engine.contracts.manifest import Manifest, SizeRule, read_manifest, sha256_of
from engine.errors import InferenceError, ModelError
from engine.sessions.fastest import open_fastest
from engine.sessions.session import Session, SessionSpec, Tensor, TensorSpec, trying
from engine.super_resolve.wish import Warn, Wish, open_wished

_USUAL_PX = 48
"""Side of the crop on which runtimes are timed."""
_CHANNELS = {"luma": 1, "rgb": 3, "bgr": 3}


class ManifestGenerator:
    """A network that enlarges faces; see ``engine.super_resolve.generator.Generator``.

    Pictures are padded at the bottom and the right: by reflection up to the manifest's size rule, or by their edge up to the
    step of an engine that takes a mask. The result is cropped back, clamped and rounded. Pictures of equal padded size share a
    run, up to the best batch; where that is 1, as on a CPU, they run one by one.
    """

    def __init__(self, spec: SessionSpec, wish: Wish | None = None, warn: Warn = lambda sentence: None) -> None:
        """Load and try the network.

        Args:
            spec: of a manifest ``NAME.json``, or of an ONNX file with its manifest beside it.
            wish: what may compute it, instead of what the spec says; None: no engine.
            warn: is told, in a sentence, why an existing engine is not used.

        Raises:
            ModelError: a file is missing, corrupt or not a generator, or does not do what its manifest says.
            MissingRuntimeError: the runtime is not installed.
            ConfigError: the runtime cannot compute in this precision here.
        """
        manifest_path = manifest_of(spec.path)
        self._manifest = manifest = read_manifest(manifest_path)
        _check(manifest, manifest_path)
        self.name, self.sha256, self.licence, self.scale = manifest.name, manifest.sha256, manifest.licence, manifest.scale
        self.colour: Literal["luma", "bgr"] = "luma" if manifest.channels == 1 else "bgr"
        own = replace(spec.of(manifest), name=manifest.name)
        self._session: Session = (
            open_fastest(own, self._example) if wish is None else open_wished(own, manifest, wish, self._example, warn)
        )
        self.runtime, self.profile = self._session.runtime, self._session.profile
        self._takes_pixels = _has_pixels(self._session.inputs, manifest)
        self._takes_mask = _has_mask(self._session.inputs)
        with trying(self._session):
            self._try_out()

    def upscale(self, pictures: Sequence[Uint8], /) -> list[Uint8]:
        enlarged: dict[int, Uint8] = {}
        for chunk in self._chunks(pictures):
            for index, result in zip(chunk, self._run([pictures[index] for index in chunk]), strict=True):
                enlarged[index] = result
        return [enlarged[index] for index in range(len(pictures))]

    def close(self) -> None:
        self._session.close()

    def _chunks(self, pictures: Sequence[Uint8]) -> Iterator[list[int]]:
        """Yield the indices of the pictures that run together."""
        buckets: dict[tuple[int, int], list[int]] = defaultdict(list)
        for index, picture in enumerate(pictures):
            buckets[self._padded(picture)].append(index)
        for size, indices in buckets.items():
            step = self.profile.at(*size).best
            yield from (indices[start : start + step] for start in range(0, len(indices), step))

    def _padded(self, picture: Uint8) -> tuple[int, int]:
        rule, step = self._manifest.size_rule, self.profile.step_px
        stepped = SizeRule(rule.minimum, math.lcm(rule.multiple_of, step))
        return stepped.padded(picture.shape[0]), stepped.padded(picture.shape[1])

    def _run(self, pictures: Sequence[Uint8]) -> Iterator[Uint8]:
        """Run pictures of equal padded size as one batch."""
        height, width = self._padded(pictures[0])
        items = [self._planar(picture, height, width) for picture in pictures]
        # A network with a fixed batch gets the last picture again.
        items += items[-1:] * (self.profile.smallest - len(items))
        batch = np.stack(items)
        tensors = {self._session.inputs[0].name: batch if self._takes_pixels else self._encode(batch)}
        if self._takes_mask:
            tensors[MASK] = _mask([picture.shape for picture in pictures], (len(items), height, width))
        outputs = self._session.run(tensors)
        scale = self.scale
        sides, channels = (height * scale, width * scale), (self._manifest.channels,)
        expected = (len(items), *(sides + channels if self._is_interleaved else channels + sides))
        if len(outputs) != 1 or outputs[0].shape != expected:
            got = ", ".join(str(output.shape) for output in outputs)
            raise InferenceError(
                f"{self.name} returned {got} where its manifest promises {expected}: correct scale, channels or output"
            )
        for picture, output in zip(pictures, outputs[0], strict=False):
            rows, columns = slice(picture.shape[0] * scale), slice(picture.shape[1] * scale)
            yield self._decode(output[rows, columns] if self._is_interleaved else output[:, rows, columns])

    @property
    def _is_interleaved(self) -> bool:
        return self._takes_pixels and self.colour == "bgr"

    def _planar(self, picture: Uint8, height: int, width: int) -> Uint8:
        """Return (channels, height, width) in the network's channel order, or the layout of an engine that converts pixels."""
        bottom, right = height - picture.shape[0], width - picture.shape[1]
        if bottom or right:
            border = cv2.BORDER_REPLICATE if self._takes_mask else cv2.BORDER_REFLECT_101
            picture = cv2.copyMakeBorder(picture, 0, bottom, 0, right, border).astype(np.uint8, copy=False)
        if self._is_interleaved:
            return picture
        if self.colour == "luma":
            return picture[None]
        return (picture[:, :, ::-1] if self._manifest.colour == "rgb" else picture).transpose(2, 0, 1)

    def _encode(self, batch: Uint8) -> Tensor:
        """Return the network's input: 8-bit pixels in its range and type, C-contiguous."""
        low, high = self._manifest.value_range
        if (low, high) == (0.0, 255.0):
            return np.ascontiguousarray(batch, self._manifest.dtype)
        tensor = np.ascontiguousarray(batch, np.float32)
        tensor *= (high - low) / 255
        tensor += low
        return tensor.astype(self._manifest.dtype, copy=False)

    def _decode(self, output: Tensor) -> Uint8:
        """Return (h, w) or (h, w, 3) BGR, clamped and rounded to 8 bits, from one output (channels, h, w)."""
        if self._takes_pixels:
            return np.array(output[0] if self.colour == "luma" else output, np.uint8)
        values = output.astype(np.float32, copy=False)
        if not np.isfinite(values).all():
            raise InferenceError(f"{self.name} returned values that are not numbers: use another runtime or float32 weights")
        low, high = self._manifest.value_range
        gain = 255 / (high - low)
        planes = [cv2.addWeighted(plane, gain, plane, 0.0, -low * gain, dtype=cv2.CV_8U) for plane in values]
        if self.colour == "luma":
            return np.asarray(planes[0], np.uint8)
        return np.asarray(cv2.merge(planes[::-1] if self._manifest.colour == "rgb" else planes), np.uint8)

    def _example(self, inputs: tuple[TensorSpec, ...]) -> dict[str, Tensor]:
        """Return noise of the size of a typical crop, as inputs of the network."""
        side = self._manifest.size_rule.padded(_USUAL_PX)
        shape = (self._manifest.batch[0], self._manifest.channels, side, side)
        noise = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
        mask = {MASK: np.ones((len(noise), 1, side, side), np.uint8)} if _has_mask(inputs) else {}
        if _has_pixels(inputs, self._manifest):
            pixels = noise if self.colour == "luma" else np.ascontiguousarray(noise.transpose(0, 2, 3, 1))
            return {inputs[0].name: pixels} | mask
        return {spec.name: self._encode(noise) for spec in inputs if spec.name not in mask} | mask

    def _try_out(self) -> None:
        """Run the smallest picture, so that a wrong manifest fails at the start and not at the first face."""
        if len(self._session.inputs) != 1 + self._takes_mask:
            raise ModelError(
                f"{self.name} has {len(self._session.inputs)} inputs, a generator has one: export it without the others"
            )
        side = self._manifest.size_rule.padded(8)
        shape = (side, side) if self.colour == "luma" else (side, side, 3)
        self.upscale([np.full(shape, 128, np.uint8)])


def manifest_of(path: Path) -> Path:
    """Return the manifest of a generator that is given by its path, or by that of its ONNX file.

    Raises:
        ModelError: the ONNX file is missing, or has no manifest of its name.
    """
    if path.suffix != ".onnx":
        return path
    if not path.is_file():
        raise ModelError(f"there is no model file {path}: check the path")
    manifest_path = path.with_suffix(".json")
    if not manifest_path.is_file():
        if scales := sorted(other.name for other in path.parent.glob(f"{path.stem}_x*.json")):
            raise ModelError(f"{path.name} has a manifest for each of its scales: give one of {', '.join(scales)}")
        raise ModelError(
            f"{path.name} has no manifest: write {manifest_path} with at least "
            f'{{"name": "{path.stem}", "kind": "generator", "file": "{path.name}", "sha256": "{sha256_of(path)}", '
            '"licence": "...", "training_data": "...", "scale": 4}, and "channels": 3, "colour": "rgb" for a colour network'
        )
    return manifest_path


def _has_pixels(inputs: tuple[TensorSpec, ...], manifest: Manifest) -> bool:
    """Whether this is an engine that converts pixels itself: it takes uint8, (N, 1, H, W) luma or (N, H, W, 3) BGR."""
    return manifest.dtype != "uint8" and inputs[0].dtype == np.uint8


def _has_mask(inputs: tuple[TensorSpec, ...]) -> bool:
    """Whether this is an engine that takes a mask of the picture, so that padding changes nothing."""
    return len(inputs) == 2 and inputs[1].name == MASK


def _mask(shapes: Sequence[tuple[int, ...]], padded: tuple[int, int, int]) -> Uint8:
    """Return (N, 1, H, W), 1 inside the pictures; entries that only fill up a batch are 1 everywhere."""
    count, height, width = padded
    mask = np.ones((count, 1, height, width), np.uint8)
    for one, shape in zip(mask, shapes, strict=False):
        one[:, shape[0] :], one[:, :, shape[1] :] = 0, 0
    return mask


def _check(manifest: Manifest, path: Path) -> None:
    if manifest.kind != "generator":
        raise ModelError(f"{path} describes a {manifest.kind}, a generator is needed: choose another model")
    if manifest.channels != _CHANNELS[manifest.colour]:
        raise ModelError(
            f"{path}: channels {manifest.channels} and colour {manifest.colour} do not agree: "
            "use 1 with luma, or 3 with rgb or bgr"
        )
    smallest, best, largest = manifest.batch
    if manifest.scale < 1 or not 1 <= smallest <= best <= largest:
        raise ModelError(f"{path}: scale {manifest.scale} or batch {manifest.batch} is impossible: correct the manifest")
    if not manifest.value_range[0] < manifest.value_range[1]:
        raise ModelError(
            f"{path}: value_range {manifest.value_range} must be the smallest and the largest value, in this order"
        )
