import numpy as np

from trt_build.measures.bootstrap import Interval
from trt_build.protocols.generators.picture_scores import COLUMNS
from trt_build.protocols.generators.results import Figure, figure, present, rows_of

BASE, NET = np.array([30.0, 29.0, 31.0]), np.array([32.0, 31.0, 33.0])


def test_a_gain_is_paired():
    found = figure(NET, BASE)
    assert (found.value, found.gain) == (32, Interval(2, 2, 2))
    assert found.sign == 1
    assert found.interval[0] < found.interval[1]
    assert figure(BASE).gain is None
    assert figure(BASE[:1]).interval is None


def test_rows_compare_with_the_baseline_where_it_has_the_figure():
    rows = rows_of({"net": {"psnr_db": NET, "ssim": NET}, "bicubic": {"psnr_db": BASE}}, "bicubic", ("clean", 16, 4))
    net, base = rows
    assert net.figures["psnr_db"].gain.value == 2
    assert net.figures["ssim"].gain is None
    assert base.figures["psnr_db"].gain is None
    assert net.place == base.place == ("clean", 16, 4)
    assert [column.key for column in present(COLUMNS, rows)] == ["psnr_db", "ssim"]


def test_no_gain_no_sign():
    assert Figure(1.0).sign == 0
