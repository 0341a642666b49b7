import numpy as np

from tests.trt_build.data.people.made import LENGTH, people
from trt_build.protocols.open_set.crowd import GROUP, as_stored, make_crowd


def test_no_member_of_the_crowd_is_one_person():
    vectors = people(900, 2, seed=1).vectors[::2]
    crowd = make_crowd(vectors)
    assert crowd.shape[1] == LENGTH
    assert 0 < len(crowd) <= len(vectors) // GROUP
    assert np.linalg.norm(crowd, axis=1).max() < 0.95
    assert (vectors @ crowd.T / np.linalg.norm(crowd, axis=1)).max() < 0.999


def test_the_crowd_is_compared_as_it_will_be_read():
    crowd = make_crowd(people(100, 1, seed=2).vectors)
    np.testing.assert_array_equal(as_stored(as_stored(crowd)), as_stored(crowd))
    np.testing.assert_allclose(as_stored(crowd), crowd, atol=1e-3)
