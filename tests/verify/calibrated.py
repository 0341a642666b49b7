"""A calibration that was never measured: ratios that are easy to reckon with."""

from __future__ import annotations

import numpy as np

from engine.verify.likelihood import Bucket, Calibration

INF = float("inf")


def bucket(low_px=14.0, high_px=40.0, least_faces=1, offset=0.0, slope=10.0, scene_offset=9.0, lowest=-1.5, highest=3.0):
    return Bucket(low_px, high_px, least_faces, offset, slope, scene_offset, slope, lowest, highest, 100, 10_000)


BUCKETS = (bucket(), bucket(least_faces=2, offset=-0.5), bucket(40.0, INF, 1), bucket(40.0, INF, 2))
RATES = np.array([0.1, 0.01, 0.001])
MADE_UP = Calibration(BUCKETS, 5.0, RATES, np.tile([0.1, 0.2, 0.3], (4, 1)), "0" * 64, "made up", "0123456789ab")
