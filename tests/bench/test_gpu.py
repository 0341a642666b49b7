"""The bench of generators on a GPU, on a CPU: its order, its time, what it leaves where it ends, and its products in fp8."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the bench computes by torch")

from torch import nn  # noqa: E402

from tests.bench import gpu  # noqa: E402
from tests.bench.fp8_convolutions import Fp8Convolution, fits, in_fp8  # noqa: E402
from tests.bench.gpu import NETWORKS, Bench, Point, main, measure_all, plan  # noqa: E402
from trt_build.networks.generators.catalog import build_generator  # noqa: E402

SMALL = ["--device", "cpu", "--networks", "compact_fine_x4", "--batches", "2", "--types", "bf16", "--seconds", "0.01"]

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # torch imports what it deprecates


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_what_is_quick_comes_first_and_nothing_is_forgotten() -> None:
    points = plan(["small", "large"], ["fp16", "fp8"], [8, 512], ["compiled", "eager", "graphed"])
    assert len(points) == len(set(points)) == 24
    assert [point.way == "compiled" for point in points] == [False] * 16 + [True] * 8
    assert [point.network for point in points[::8]] == ["small", "large", "small"]
    built = [(point.network, point.type) for point in points[:16]]
    assert sum(one != other for one, other in itertools.pairwise(built)) == 3, "each is built once"


def test_what_fails_costs_its_own_row() -> None:
    def measure(point: Point) -> dict[str, float]:
        if point.batch == 512:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 4.50 GiB.\nmore")
        return {"crops_per_s": 1.0}

    points = plan(["small"], ["fp16"], [8, 512, 32], ["eager"])
    found = [row for _, row in measure_all(points, measure, lambda: False)]
    assert found == [
        {"crops_per_s": 1.0}, {"failed": "CUDA out of memory. Tried to allocate 4.50 GiB."}, {"crops_per_s": 1.0}
    ]  # fmt: skip


def test_a_run_that_is_cut_off_keeps_what_it_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(bench: Bench, point: Point) -> dict[str, float]:
        if point.batch == 8:
            raise KeyboardInterrupt
        return {"crops_per_s": 1.0, "flops_per_s": 1.0}

    monkeypatch.setattr(Bench, "measure", measure)
    with pytest.raises(KeyboardInterrupt):
        main([*SMALL, "--batches", "2,4,8,16", "--ways", "eager", "--json", str(tmp_path / "rows.jsonl")])
    device, *rows = lines(tmp_path / "rows.jsonl")
    assert device["device"] == "CPU"
    assert [row["batch"] for row in rows] == [2, 4]


def test_what_there_is_no_time_for_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([*SMALL, "--minutes", "0", "--json", str(tmp_path / "rows.jsonl")])
    assert "no time for 2 of 2: compact_fine_x4 bf16 eager, compact_fine_x4 bf16 compiled" in capsys.readouterr().out
    assert len(lines(tmp_path / "rows.jsonl")) == 1


def test_every_type_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(NETWORKS, "tiny", ("compact", {"width": 16, "blocks": 1}))
    main(
        [*SMALL, "--networks", "tiny", "--types", "bf16,fp8", "--ways", "eager,graphed", "--json", str(tmp_path / "rows.jsonl")]
    )
    device, *rows = lines(tmp_path / "rows.jsonl")
    assert {kind: peak > 0 for kind, peak in device["peaks_flops_per_s"].items()} == {"bf16": True, "fp8": True}
    assert [(row["type"], row["way"]) for row in rows] == [("bf16", "eager"), ("fp8", "eager")], "a CPU has no graphs"
    assert all(row["crops_per_s"] > 0 and row["share_of_peak"] > 0 for row in rows)
    ratios = {round(row["flops_per_s"] / row["crops_per_s"]) for row in rows}
    assert len(ratios) == 1, "the work is counted alike, whatever computes it"
    assert capsys.readouterr().out.count("of peak") == 2


def test_without_a_gpu_it_says_so(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu.torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit):
        main([])
    assert "torch finds no CUDA GPU here: run it on a machine that has one, or give --device cpu" in capsys.readouterr().err


@pytest.mark.parametrize(("entries", "exits", "size"), [(16, 32, (7, 9)), (48, 48, (8, 8)), (64, 16, (1, 5))])
def test_a_product_in_fp8_is_the_convolution(entries: int, exits: int, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    plain = nn.Conv2d(entries, exits, 3, padding=1).to(torch.bfloat16)
    picture = torch.randn(2, entries, *size, dtype=torch.bfloat16).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        found, expected = Fp8Convolution(plain)(picture).float(), plain(picture).float()
    assert found.shape == expected.shape
    assert (found - expected).norm() < 0.06 * expected.norm(), "3 bits of mantissa"


@pytest.mark.parametrize(("network", "replaced"), [("compact_fine_x4", 17), ("SRResNet-16", 35), ("RRDBNet-6", 94)])
def test_the_first_and_the_last_convolution_stay(network: str, replaced: int) -> None:
    name, options = NETWORKS[network]
    model = build_generator(name, options)
    assert in_fp8(model) == replaced
    left = [one for one in model.modules() if isinstance(one, nn.Conv2d)]
    assert len(left) == 2
    assert not fits(left[0])
