import cv2
import numpy as np

from engine.detect.yunet import YuNet
from engine.sessions.session import SessionSpec
from tests.assets import shared
from tests.trt_build.data.scenes.made import drawn_face
from trt_build.data.scenes.insight import Insight
from trt_build.data.scenes.teacher import Teacher, grey_planes

MODEL = "models/face_detection_yunet_2023mar.onnx"


def test_the_scores_are_those_that_the_detector_reports():
    model = shared(MODEL)
    picture = np.full((128, 160), 90, np.uint8)
    picture[20:116, 30:126] = cv2.resize(drawn_face().image, (96, 96))
    scores, features = Insight(model).look(picture)
    assert scores.shape == (20 * 16 + 10 * 8 + 5 * 4,)
    assert features.shape == (len(scores), 64)
    assert features.min() >= 0  # they lie behind a ReLU
    (found,) = YuNet(SessionSpec(model, "onnxruntime"), 0.01, "yunet", "").detect([grey_planes(picture, full_range=True)])
    assert abs(float(found.scores.max()) - float(scores.max())) < 1e-3


def test_the_teacher_sees_pictures_in_video_range():
    model = shared(MODEL)
    picture = np.random.default_rng(0).integers(16, 236, (64, 96)).astype(np.uint8)
    seen, _ = Teacher(model).look(picture)
    from trt_build.data.scenes.teacher import expand

    np.testing.assert_allclose(seen, Insight(model).look(expand(picture))[0], atol=1e-6)
