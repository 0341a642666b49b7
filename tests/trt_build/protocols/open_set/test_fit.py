from dataclasses import replace

import numpy as np
import pytest

from tests.trt_build.data.people.made import group_faces, people, tracks
from trt_build.data.people.recording import NOBODY
from trt_build.errors import DataError
from trt_build.protocols.open_set import galleries
from trt_build.protocols.open_set.fit import fit, sizes_of

EVERYONE = people(900, 2, seed=1)
CROWD = sorted(EVERYONE.of_people())[:400]
GROUPS = group_faces(120, seed=5)


def joined(*parts):
    shift, all_parts = 0, []
    for part in parts:
        all_parts.append(part | {"face_track": part["face_track"] + shift})
        shift += len(part["picture"])
    return {name: np.concatenate([part[name] for part in all_parts]) for name in parts[0]}


@pytest.fixture(scope="module")
def found():
    seen = joined(tracks(EVERYONE, 16.0, 3, spread=1.0), tracks(EVERYONE, 48.0, 4, spread=0.3))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(galleries, "_DRAWS", 100)
        return fit(seen, EVERYONE, CROWD, GROUPS, (16.0, 48.0), "f" * 64)


def test_strangers_of_other_people_reach_the_limits_as_often_as_is_said(found):
    """Other people, drawn alike, in a gallery of 50: in the mean over galleries the share with a name is the rate, as far as
    1,800 tracks can tell; to hold in nearly every gallery it is less."""
    in_mean = replace(found, mean_rates=found.rates)
    others = people(900, 2, seed=7)
    gallery = others.vectors[: 2 * 50 : 2]
    crowding = found.crowding(gallery)
    for size, spread in ((16.0, 1.0), (48.0, 0.3)):
        seen = tracks(others, size, 8, spread)
        strangers = seen["vector"][2 * 50 :]
        best = np.array([found.resemblance(vector, gallery, crowding).max() for vector in strangers])
        for rate in (0.2, 0.05):
            named = (best >= in_mean.limit(size, 50, rate)).mean()
            assert named == pytest.approx(rate, abs=4 * np.sqrt(rate / len(strangers)) + 0.15 * rate)
            assert (best >= found.limit(size, 50, rate)).mean() < named


def test_the_people_of_the_crowd_are_left_out_and_the_rest_is_counted(found):
    assert found.strangers.tolist() == [1000, 1000]
    assert "2,000 tracks of 500 people, each against 499 others" in found.provenance
    assert "3,360 pairs of people in 120 pictures" in found.provenance
    assert found.smallest_rate == pytest.approx(3 / 2000)
    assert (np.diff(found.limits, axis=1) > 0).all()


def test_own_pictures_are_reached_more_often_where_faces_are_large(found):
    assert found.own_low[0] < found.own_low[1]
    assert found.own_high[0] < found.own_high[1]
    assert found.sizes_px.tolist() == pytest.approx([15.0, 47.0])


def test_tracks_of_nobody_and_too_few_tracks_do_not_count():
    seen = tracks(EVERYONE, 16.0, 3, spread=1.0)
    seen["picture"] = np.full(len(seen["picture"]), NOBODY, seen["picture"].dtype)
    with pytest.raises(DataError, match="There are 0 tracks of faces of 16 px"):
        fit(seen, EVERYONE, CROWD, GROUPS, (16.0,), "f" * 64)


def test_the_size_of_a_track_is_weighted_as_its_faces():
    seen = tracks(people(3, 1, seed=1), 48.0, 3, spread=1.0)
    np.testing.assert_allclose(sizes_of(seen), 0.25 * 44 + 0.75 * 48)
