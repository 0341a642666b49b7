"""The faces protocol with a stand-in recogniser."""

import numpy as np
import pytest

from tests.trt_build.protocols.generators.networks import Blocks, repeating
from tests.trt_build.tiny import smooth_faces
from trt_build.errors import DataError
from trt_build.protocols.generators import faces as faces_protocol
from trt_build.protocols.generators.faces import measure_faces
from trt_build.protocols.generators.methods import by_scale, open_models
from trt_build.protocols.generators.options import Options

FACES = smooth_faces(10, 128, people=5)


@pytest.fixture
def recognisers(monkeypatch):
    made = {"": Blocks(), "second_": Blocks(name="other")}
    monkeypatch.setattr(faces_protocol, "_recognisers", lambda sharp, options: made)
    return made


def test_all_strata_methods_and_figures(tmp_path, recognisers):
    methods = by_scale(open_models([str(repeating(tmp_path)), str(repeating(tmp_path, "repeat_x4", 4))]), "faces")
    told = {}
    found = measure_faces(
        FACES, "x.zip", methods, Options(3, tmp_path, rounds=10), lambda what, n, of: told.update({what: (n, of)})
    )
    assert all(done == total for done, total in told.values())
    assert set(told) == {"scoring", "embedding", "verifying"}
    places = list(dict.fromkeys(row.place for row in found.rows))
    assert [place[1] for place in places] == [12, 16, 24, 32, 32, 32] * 2
    assert {place[2] for place in places} == {2, 4}
    by = {(row.place, row.method): row.figures for row in found.rows}
    for place in places:
        base, net = by[place, "bicubic"], by[place, f"repeat_x{place[2]}"]
        assert base["psnr_db"].gain is None
        assert net["psnr_db"].gain.value == pytest.approx(net["psnr_db"].value - base["psnr_db"].value)
        assert net["psnr_db"].gain.low <= net["psnr_db"].gain.high
        assert 0 <= net["flips"].value <= 1
        verified = place[1] in (16, 24, 32)
        assert ("tar_low_1e-3" in net) == verified
        assert ((place, f"repeat_x{place[2]} + bicubic") in by) == verified
        assert ("second_tar_low_1e-3" in net) == verified
    keys = {column.key for column in found.columns}
    assert {key for figures in by.values() for key in figures} <= keys
    assert {column.heading for column in found.columns} >= {"cosine", "cosine (other)"}
    assert len(found.strips) == 4 * len(places)
    assert {(curve.gallery, curve.scale) for curve in found.curves} == {("sharp", 2), ("low", 2), ("sharp", 4), ("low", 4)}
    assert all(one.closed for one in recognisers.values())


def test_gains_over_another_method(tmp_path, recognisers):
    methods = by_scale([], "faces")
    found = measure_faces(FACES, "x.zip", methods, Options(3, tmp_path, rounds=10, against="lanczos4"), lambda *_: None)
    by = {(row.place, row.method): row.figures for row in found.rows}
    for (place, method), figures in by.items():
        for key, figure in figures.items():
            assert (figure.gain is None) == (method == "lanczos4")
            if figure.gain is not None:
                assert figure.gain.value == pytest.approx(figure.value - by[place, "lanczos4"][key].value)


def test_a_network_that_is_bicubic_gains_nothing(tmp_path, recognisers):
    bicubic = by_scale([], "faces")[4][0]
    twin = type(bicubic)("twin", 4, "", bicubic.enlarge, "ab")
    found = measure_faces(FACES, "x.zip", {4: [bicubic, twin]}, Options(3, tmp_path, rounds=10), lambda *_: None)
    gains = [figure.gain for row in found.rows if row.method == "twin" for figure in row.figures.values()]
    assert gains
    assert all((gain.value, gain.low, gain.high) == (0, 0, 0) for gain in gains)


def test_people_are_needed(tmp_path, recognisers):
    for people, words in ((1, "of one person"), (10, "has two pictures")):
        with pytest.raises(DataError, match=words):
            measure_faces(smooth_faces(10, 128, people=people), "x.zip", by_scale([], "faces"), Options(3, tmp_path), print)


def test_small_faces_are_refused(tmp_path, recognisers):
    with pytest.raises(DataError, match="smaller than hr_px = 128"):
        measure_faces(smooth_faces(4, 64, people=2), "x.zip", by_scale([], "faces"), Options(3, tmp_path), print)


def test_the_same_seed_gives_the_same_figures(tmp_path, recognisers):
    def run():
        return measure_faces(FACES, "x.zip", by_scale([], "faces"), Options(3, tmp_path, rounds=5), lambda *_: None)

    one, two = run(), run()
    assert one.rows == two.rows
    assert [strip.name for strip in one.strips] == [strip.name for strip in two.strips]
    np.testing.assert_array_equal(one.pairs.left, two.pairs.left)
