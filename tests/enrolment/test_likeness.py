"""Which of several pictures of a person are looked at first."""

import numpy as np

from engine.enrolment.likeness import typical_first


def at(degrees):
    return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))], np.float32)


def test_the_one_that_is_unlike_the_others_comes_last_wherever_it_stands():
    assert typical_first([at(90), at(0), at(10), at(4)]) == [2, 3, 1, 0]
    assert typical_first([at(0), at(90)]) == [0, 1], "of two it cannot be told"
    assert typical_first([None, at(0), at(0), None]) == [1, 2, 0, 3]
    assert typical_first([None]) == [0]
    assert typical_first([]) == []
