"""The network that ships for tracks: its file, manifest and card agree, and it makes more of eight frames than of one."""

import cv2
import numpy as np

from engine.contracts.manifest import read_manifest
from engine.models.catalog import embedded_dir
from engine.sessions.session import SessionSpec, open_session
from tests.super_resolve.tracks import drawn_face, track

MANIFEST = embedded_dir() / "compact_track_x4.json"


def test_file_manifest_and_card_tell_the_same():
    manifest = read_manifest(MANIFEST)
    card = MANIFEST.with_suffix(".md").read_text(encoding="utf-8")
    assert (manifest.kind, manifest.scale) == ("track", 4)
    assert manifest.sha256 in card
    assert f"{manifest.parameters:,}" in card
    assert manifest.parameters <= 450_000
    assert manifest.parity is not None
    assert manifest.parity.max_abs_error < 5e-4


def test_eight_noisy_frames_show_more_than_one():
    px = 24
    low, warps, _ = track(px, 8, seed=3, noise=6.0)
    truth = cv2.warpAffine(
        drawn_face(3).astype(np.float32),
        enlarged(warps[0]),
        (4 * px, 4 * px),
        flags=cv2.INTER_AREA,
        borderMode=cv2.BORDER_REFLECT,
    )
    maps = np.stack([between(enlarged(warps[0]), enlarged(one)) for one in warps]).astype(np.float32)
    errors = {}
    with open_session(SessionSpec(MANIFEST.with_suffix(".onnx"), "onnxruntime", threads=1)) as session:
        for count in (1, 8):
            given = {
                "luma": low[:count, None].astype(np.float32) / 255,
                "affine": maps[:count],
                "weight": np.ones(count, np.float32),
            }
            picture, deviation = (one[0, 0] * 255 for one in session.run(given))
            errors[count] = float(np.square(picture - truth)[16:-16, 16:-16].mean())
            assert deviation.shape == picture.shape == (4 * px, 4 * px)
    assert errors[8] < 0.8 * errors[1]


def enlarged(warp):
    """From the drawn face to pixels of the frame at four times its size."""
    return np.column_stack([4 * warp[:, :2], 4 * warp[:, 2] + 1.5])


def between(one, other):
    linear = other[:, :2] @ np.linalg.inv(one[:, :2])
    return np.column_stack([linear, other[:, 2] - linear @ one[:, 2]])
