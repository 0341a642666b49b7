"""Every engine that this CPU can compute: made, left out with a reason, and the one that is taken."""

import errno
import pathlib

import pytest

from engine.contracts.manifest import read_manifest
from engine.errors import UsageError
from engine.models.catalog import embedded_dir
from engine.sessions import fastest
from tests.sessions.processors import need
from tests.trt_build.engines.networks import write_generator
from trt_build import cli, optional
from trt_build.engines import build as building
from trt_build.engines import tune as tuning
from trt_build.engines.build import Workshop
from trt_build.engines.parity import LIMITS, verdict_of


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.delenv("FACESTREAM_DATA", raising=False)
    monkeypatch.delenv(fastest.VARIABLE)
    monkeypatch.setattr(fastest, "user_cache_path", lambda name: tmp_path)
    monkeypatch.setattr(fastest, "PLAIN", ("onnxruntime",))
    monkeypatch.setattr(fastest, "_SECONDS", 0.0)
    monkeypatch.setattr(tuning, "computes_in_bfloat16", lambda: False)
    monkeypatch.setattr(
        tuning, "ENGINES", (("openvino", "bf16"), ("onnxruntime", "int8"), ("onnxruntime", "fp16"), ("openvino", "fp32"))
    )
    figures = {"fp16": {"psnr_lost_db": 0.0, "cosine_moved": 0.0}, "fp32": {"psnr_lost_db": 0.4, "cosine_moved": 0.0}}
    monkeypatch.setattr(
        building,
        "compare",
        lambda model, compared, done: verdict_of(
            figures[compared.engine.manifest.key.precision], LIMITS["generator"], 200, "made up"
        ),
    )
    return write_generator(tmp_path)


def test_one_that_cannot_be_made_hides_no_other(model, tmp_path):
    need("openvino")
    shop = Workshop(tmp_path / "engines", lambda sentence: None, lambda what, done, total: None)
    bfloat16, int8, half, failed = tuning.tune(model, read_manifest(model), shop)
    assert (bfloat16.manifest, bfloat16.trouble) == (None, "this CPU has no bfloat16")
    assert int8.manifest is None
    assert "int8 and fp8 need at least 500 real faces to calibrate on: give --calibration" in int8.trouble
    assert half.manifest is not None
    assert half.trouble == ""
    assert failed.trouble == "fails the gate: psnr lost db 0.4 for at most 0.1"


def test_the_command_says_what_is_taken(model, tmp_path, capsys):
    need("openvino")
    assert cli.main(["tune", str(model), "--out", str(tmp_path / "engines")]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "left out" in out
    assert "tiny: onnxruntime " in out
    assert "auto: onnxruntime " in out
    assert "onnxruntime float16 " in out


@pytest.mark.parametrize(("name", "kind"), [("grey", "detector"), ("second_look", "second_look")])
def test_what_decisions_rest_on_is_not_tuned(name, kind):
    with pytest.raises(UsageError, match=f"{name} is not a generator but of the kind {kind}, which is computed as it is"):
        tuning.check_is_generator(read_manifest(embedded_dir() / f"{name}.json"))


def test_nothing_is_made_before_all_models_are_known_to_be_generators(model, tmp_path, capsys):
    """What was made of the first one used to be lost to sight."""
    assert cli.main(["tune", str(model), "grey", "--out", str(tmp_path / "engines")]) == 2
    assert "grey is not a generator" in capsys.readouterr().err
    assert not (tmp_path / "engines").exists()


@pytest.mark.parametrize("kind", ["read-only", "full at the second", "a file in the way"])
def test_where_nothing_can_be_written_it_ends_in_1_and_keeps_what_is_there(model, tmp_path, capsys, monkeypatch, kind):
    """It used to end in 0, with a table."""
    need("openvino")
    monkeypatch.setattr(tuning, "ENGINES", (("onnxruntime", "fp16"), ("openvino", "fp32"), ("ncnn", "fp32")))
    folder, error = tmp_path / "engines", "No space left on device"
    made = []
    if kind == "a file in the way":
        folder.write_text("")
        error = f"{folder} is not a folder"
    else:
        write = pathlib.Path.write_bytes

        def full(path, content):
            made.append(path.name)
            if kind == "read-only" or "openvino" in path.name:
                raise OSError(errno.ENOSPC, error)
            return write(path, content)

        monkeypatch.setattr(pathlib.Path, "write_bytes", full)
    assert cli.main(["tune", str(model), "--out", str(folder)]) == 1
    shown = capsys.readouterr()
    kept = kind == "full at the second"
    assert (
        f"cannot be written: {error}. Engines that are kept: {int(kept)}. Free some space, or give --out a folder"
        in " ".join(shown.err.split())
    )
    assert not any("ncnn" in name for name in made), "nothing is made for which there is no place"
    if kept:
        assert [path.name for path in sorted(folder.glob("[!.]*"))] == [
            "tiny-onnxruntime-fp16.onnx",
            "tiny-onnxruntime-fp16.onnx.json",
        ]
        assert "ready" in shown.out


def test_a_converter_that_is_missing_is_named_by_the_extra_that_builds(model, tmp_path, monkeypatch):
    """It used to name the extra that only runs what was converted."""
    found = optional.importlib.util.find_spec
    for absent in (("ncnn",), ("pnnx",), ("ncnn", "pnnx")):
        monkeypatch.setattr(
            optional.importlib.util,
            "find_spec",
            lambda name, *more, absent=absent: None if name in absent else found(name, *more),
        )
        monkeypatch.setattr(tuning, "ENGINES", (("ncnn", "fp32"),))
        shop = Workshop(tmp_path / "engines", lambda sentence: None, lambda what, done, total: None)
        (one,) = tuning.tune(model, read_manifest(model), shop)
        assert "which is not installed: pip install 'facestream[ncnn-build]'" in one.trouble


def test_where_nothing_was_made_it_says_so_and_what_to_set(model, tmp_path, monkeypatch, capsys):
    """It used to end in 0, with a folder called $FACESTREAM_DATA."""
    monkeypatch.setattr(tuning, "ENGINES", (("openvino", "bf16"), ("onnxruntime", "int8")))
    assert cli.main(["tune", str(model), "--out", str(tmp_path / "engines")]) == 1
    shown = capsys.readouterr()
    assert "nothing was made: every engine was left out" in " ".join(shown.err.split())
    assert "Set FACESTREAM_DATA to the folder of the data." in " ".join(shown.out.split())
