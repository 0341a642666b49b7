from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio

from engine.contracts.faces import FaceCrop
from engine.contracts.findings import Quality
from engine.contracts.frames import FrameTime, Planes
from engine.pictures.colour import bgr_from_planes, planes_from_bgr
from engine.sessions.session import SessionSpec
from engine.super_resolve.enhancer import Enhancer, enlarge_planes, lr_consistency_db
from engine.super_resolve.interpolation import Interpolation
from engine.super_resolve.manifest_generator import ManifestGenerator
from tests.crop.photographs import FOUND, picture
from tests.super_resolve.networks import write_network

random = np.random.default_rng(11)


class Marker:
    """A generator with a known answer that counts its runs."""

    name, sha256, licence, runtime, scale = "marker", "", "none", "test", 4

    def __init__(self, colour: str = "luma", value: int = 200) -> None:
        self.colour = colour
        self.value = value
        self.shapes: list[tuple[int, ...]] = []
        self.closed = False

    def upscale(self, pictures, /):
        self.shapes += [picture.shape for picture in pictures]
        return [np.full((p.shape[0] * 4, p.shape[1] * 4, *p.shape[2:]), self.value, np.uint8) for p in pictures]

    def close(self) -> None:
        self.closed = True


def crop_of(planes: Planes, size_px: float = 20.0) -> FaceCrop:
    return FaceCrop(
        "cam1", 1, FrameTime(0, 0, (1, 25), 0.0, 0), (2.0, 2.0, size_px, size_px), None, 0.9,
        Quality(size_px, 0.5, 0.5, 0.3), (0, 0, planes.width_px, planes.height_px), False, planes=planes,
    )  # fmt: skip


def real_face(index: int, side_px: int = 48, matrix: str = "bt709", *, full_range: bool = False) -> Planes:
    x, y, width, height = (int(value) for value in FOUND["t1"][index][:4])
    image = picture("t1")[y : y + height, x : x + width]
    return planes_from_bgr(cv2.resize(image, (side_px, side_px), interpolation=cv2.INTER_AREA), matrix, full_range)


def noise_planes(width: int, height: int) -> Planes:
    u, v = random.integers(100, 156, (2, (height + 1) // 2, (width + 1) // 2), np.uint8)
    return Planes(random.integers(0, 256, (height, width), np.uint8), u, v, "bt709")


@pytest.mark.parametrize("colour", ["luma", "bgr"])
def test_strength_0_is_exactly_bicubic_and_runs_no_generator(colour):
    generator = Marker(colour)
    planes = real_face(0)
    (face,) = Enhancer(generator, 0.0, 160).enhance([crop_of(planes)])
    assert generator.shapes == []
    luma, u, v = (
        cv2.resize(plane, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC) for plane in (planes.y, planes.u, planes.v)
    )
    assert np.array_equal(face.luma, luma)
    assert np.array_equal(face.bgr, bgr_from_planes(Planes(luma, u, v, "bt709")))
    assert (face.scale, face.model) == (4, "marker")


def test_strength_1_is_exactly_the_generators_luma():
    planes = real_face(1, full_range=True)
    (face,) = Enhancer(Interpolation("lanczos"), 1.0, 160).enhance([crop_of(planes)])
    assert np.array_equal(face.luma, cv2.resize(planes.y, None, fx=4, fy=4, interpolation=cv2.INTER_LANCZOS4))


@given(st.floats(0.0, 1.0))
@settings(max_examples=25, deadline=None)
def test_strength_mixes_linearly(strength):
    planes = real_face(2, 24, full_range=True)
    (face,) = Enhancer(Marker(value=250), strength, 160).enhance([crop_of(planes)])
    bicubic = cv2.resize(planes.y, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC).astype(float)
    assert np.abs(face.luma - (bicubic + strength * (250 - bicubic))).max() <= 0.501


def test_a_network_sees_grey_whatever_the_range_of_the_stream():
    """Networks are trained on 0 to 255; video luma is 16 to 235, and comes back as such."""
    video = noise_planes(20, 20)
    video = Planes(np.clip(video.y, 16, 235), video.u, video.v, "bt709")
    seen = []

    class Repeat(Marker):
        def upscale(self, pictures, /):
            seen.extend(pictures)
            return [np.repeat(np.repeat(picture, 4, 0), 4, 1) for picture in pictures]

    (face,) = Enhancer(Repeat(), 1.0, 160).enhance([crop_of(video)])
    assert np.abs(seen[0] - (video.y.astype(float) - 16) * 255 / 219).max() <= 0.5
    assert np.array_equal(face.luma[::4, ::4], video.y)
    assert face.lr_consistency_db == 100.0


def test_large_faces_pass_through_and_the_order_stays():
    generator = Marker()
    crops = [crop_of(noise_planes(30 + index, 41), size_px) for index, size_px in enumerate((20, 161, 160, 300, 10))]
    faces = Enhancer(generator, 1.0, 160).enhance(crops)
    assert [face and (face.scale, face.model) for face in faces] == [(4, "marker"), None, (4, "marker"), None, (4, "marker")]
    assert generator.shapes == [(41, 30), (41, 32), (41, 34)]
    for crop, face in zip(crops, faces, strict=True):
        width, height = crop.crop_box[2:]
        assert face is None or face.bgr.shape == (height * 4, width * 4, 3)


def test_no_crops_give_no_faces_and_close_closes():
    generator = Marker()
    enhancer = Enhancer(generator, 1.0, 160)
    assert enhancer.enhance([]) == []
    enhancer.close()
    assert generator.closed


@given(st.integers(1, 33), st.integers(1, 33), st.sampled_from(["bicubic", "lanczos", "none"]))
@settings(max_examples=60, deadline=None)
def test_crops_of_any_size_keep_their_proportions(width, height, name):
    generator = Interpolation(name)
    (face,) = Enhancer(generator, 1.0, 160).enhance([crop_of(noise_planes(width, height))])
    assert face.luma.shape == (height * generator.scale, width * generator.scale)
    assert face.bgr.shape == (*face.luma.shape, 3)
    assert face.bgr.dtype == face.luma.dtype == np.uint8
    assert 0 < face.lr_consistency_db <= 100


def test_lr_consistency_against_an_independent_computation():
    planes = real_face(3)
    (face,) = Enhancer(Interpolation("bicubic"), 1.0, 160).enhance([crop_of(planes)])
    reduced = face.luma.reshape(48, 4, 48, 4).mean((1, 3))
    assert face.lr_consistency_db == pytest.approx(
        peak_signal_noise_ratio(planes.y.astype(float), reduced, data_range=255), abs=1e-3
    )
    assert 30 < face.lr_consistency_db < 60


def test_lr_consistency_is_100_for_equal_and_low_for_invented_pictures():
    planes = real_face(4)
    assert lr_consistency_db(planes.y.repeat(4, 0).repeat(4, 1), planes.y) == 100.0
    (invented,) = Enhancer(Marker(), 1.0, 160).enhance([crop_of(planes)])
    assert invented.lr_consistency_db < 15


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("side_px", [32, 31])
def test_colour_edges_stay_where_they_were(axis, side_px):
    """Half red, half blue with one luma: the place where the colour changes must be the enlarged place of the edge."""
    edge_px = 16
    planes = noise_planes(side_px, side_px)
    luma = np.full_like(planes.y, 126)
    u, v = np.full_like(planes.u, 98), np.full_like(planes.v, 158)
    half = [slice(None), slice(None)]
    half[axis] = slice(edge_px // 2, None)
    u[tuple(half)], v[tuple(half)] = 158, 98
    (face,) = Enhancer(Interpolation("bicubic"), 1.0, 160).enhance([crop_of(Planes(luma, u, v))])
    difference = face.bgr[:, :, 2].astype(float) - face.bgr[:, :, 0]
    profile = difference.mean(1 - axis)
    crossing = int(np.flatnonzero(profile < 0)[0])
    assert (np.diff(np.sign(profile)) != 0).sum() == 1
    assert abs(crossing - edge_px * 4) <= 1
    before, after = profile[edge_px * 4 - 16 : edge_px * 4], profile[edge_px * 4 : edge_px * 4 + 16]
    assert before == pytest.approx(-after[::-1], abs=4)


@pytest.mark.parametrize("matrix", ["bt601", "bt709", "bt2020"])
@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("side_px", [16, 15])
def test_a_plain_colour_keeps_its_colour(matrix, full_range, side_px):
    colour = np.full((side_px, side_px, 3), (40, 90, 180), np.uint8)
    (face,) = Enhancer(Interpolation("bicubic"), 1.0, 160).enhance([crop_of(planes_from_bgr(colour, matrix, full_range))])
    assert np.abs(face.bgr.astype(int) - (40, 90, 180)).max() <= 3


def test_chroma_never_comes_from_a_luma_generator():
    planes = real_face(5, 32)
    (face,) = Enhancer(Interpolation("lanczos"), 1.0, 160).enhance([crop_of(planes)])
    enlarged = enlarge_planes(planes, 4)
    assert np.array_equal(face.bgr, bgr_from_planes(Planes(face.luma, enlarged.u, enlarged.v, "bt709")))


@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_a_colour_network_gets_and_gives_colour(tmp_path, strength):
    generator = ManifestGenerator(SessionSpec(write_network(tmp_path, channels=3, colour="rgb", mode="cubic"), "onnxruntime"))
    planes = real_face(0, 40)
    (face,) = Enhancer(generator, strength, 160).enhance([crop_of(planes)])
    small = cv2.resize(face.bgr, (40, 40), interpolation=cv2.INTER_AREA).astype(int)
    assert np.abs(small - bgr_from_planes(planes)).mean() < 3
    assert np.abs(face.luma.astype(int) - enlarge_planes(planes, 4).y).mean() < 3
    assert face.lr_consistency_db > 30
    assert face.model == "resize"


def test_strength_outside_0_to_1_is_refused():
    with pytest.raises(ValueError, match="strength must be 0 to 1"):
        Enhancer(Marker(), 1.5, 160)
