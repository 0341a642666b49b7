"""The thresholds of dlib's embedder on people that they were not chosen on."""

import csv
import zipfile

import cv2
import numpy as np

from engine.config import DetectConfig
from engine.config.verify import VerifyConfig
from engine.detect.catalog import open_detector
from engine.models.catalog import find_model
from engine.pictures.colour import planes_from_bgr
from engine.verify.embedder import Embedder, open_embedder
from tests.assets import shared

PAIRS = 10
BORDER_PX = 48


def embed_all(names, archive, model, embedder: Embedder):
    """Name to vector, for grey pictures that were cut tightly around one face."""
    detector = open_detector(DetectConfig(detector="yunet"), {"yunet": model}.get)
    vectors = {}
    for name in names:
        grey = cv2.imdecode(np.frombuffer(archive.read(name), np.uint8), cv2.IMREAD_GRAYSCALE)
        grey = cv2.copyMakeBorder(grey, *[BORDER_PX] * 4, cv2.BORDER_REPLICATE)
        faces = detector.detect([planes_from_bgr(grey, full_range=True)])[0]
        middle = faces.boxes[:, :2] + faces.boxes[:, 2:] / 2
        nearest = np.argmin(np.linalg.norm(middle - np.array(grey.shape) / 2, axis=1))
        picture = cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)
        vectors[name] = embedder.embed([picture], [faces.landmarks[nearest]])[0]
    detector.close()
    return vectors


def test_thresholds_separate_people_they_were_not_chosen_on():
    model = shared("models/face_detection_yunet_2023mar.onnx")
    with shared("data/lfw_gray/pairs_val.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    same, different = ([row for row in rows if row["same"] == kind][:PAIRS] for kind in "10")
    embedder = open_embedder(VerifyConfig(), find_model)
    with zipfile.ZipFile(shared("data/lfw_gray/val.zip")) as archive:
        vectors = embed_all({row[key] for row in same + different for key in ("image_a", "image_b")}, archive, model, embedder)
    own, others = (np.array([vectors[row["image_a"]] @ vectors[row["image_b"]] for row in some]) for some in (same, different))
    assert (own >= embedder.known_cosine).mean() >= 0.6
    assert (own < embedder.unknown_cosine).mean() <= 0.1
    assert (others < embedder.known_cosine).all()
    assert (others < embedder.unknown_cosine).mean() >= 0.8
