"""What the bench of grouping counts."""

import json

import msgspec
import numpy as np
import pytest

from tests.bench.grouping import Grouped, agreement


def test_pairs_are_counted_and_can_be_kept_as_json():
    labels, people = np.array([0, 0, 0, 1, 2]), np.array(["Ada", "Ada", "Bob", "Ada", "Bob"])
    precision, recall, f = agreement(labels, people)
    assert (precision, recall, f) == pytest.approx((1 / 3, 1 / 4, 2 / 7))
    row = Grouped(32.0, 5, 5, 2, 4.0, 3, precision, recall, f, 0.0, f, 0.1, 0.0)
    assert json.loads(json.dumps(msgspec.to_builtins(row)))["precision"] == pytest.approx(1 / 3)
