"""What the base install lacks is named in one sentence, by every command that needs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS

ROOT = Path(__file__).parents[3]
LACKING = ("onnx", "onnxscript", "torch", "matplotlib", "jinja2", "skimage", "scipy", "dlib", "insightface", "tensorrt_rtx",
           "tensorrt", "ncnn", "pnnx", "openvino", "safetensors", "torchmetrics", "spandrel")  # fmt: skip
COMMANDS = {
    "evaluate srcnn_x4 --protocol general --data none.zip": "do not exist",
    "evaluate srcnn_x4 --protocol footage --data none.mkv": "There is no clip",
    "small-faces none.zip --count 1 --out small.zip": "do not exist",
    "train srcnn_x4": "Training needs torch, which is not installed: pip install 'facestream[train]'",
    "redeg train redeg_networks": "Training needs torch",
    "detector train --recipe grey_detector": "Training needs torch",
    "second-look train --recipe second_look": "Training needs torch",
    "embedder train --recipe low_resolution_embedder": "Training needs torch",
    "track train --recipe compact_track": "Training needs torch",
    "export none.pt --out out": "Exporting needs torch",
    "build srcnn_x2 --target openvino": "Building for openvino needs onnx, which is not installed: pip install",
    "build srcnn_x2 --target ncnn": "pip install 'facestream[ncnn-build]'",
    "build srcnn_x2 --target tensorrt-rtx --compute-capability 8.9": "pip install 'facestream[trt-rtx]'",
    "build srcnn_x2 --target tensorrt": "pip install 'facestream[trt]'",
    "build srcnn_x2 --target aotinductor --compute-capability cpu": "pip install 'facestream[aotinductor]'",
    "build srcnn_x2 --target onnxruntime-tensorrt-rtx": "pip install 'facestream[onnxruntime-rtx]'",
    "check srcnn_x2": "pip install 'facestream[engines]'",
    "tune": "pip install 'facestream[engines]'",
}
PROGRAM = """
import contextlib, io, json, sys
for name in json.loads(sys.argv[1]):
    sys.modules[name] = None
from trt_build import cli
found = []
for command in json.loads(sys.argv[2]):
    cli.ERRORS.file = said = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            code = cli.main(command.split())
        except BaseException as error:
            code = repr(error)
    found.append([code, said.getvalue()])
print(json.dumps(found))
"""


def test_what_is_not_installed_is_one_sentence(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "FACESTREAM_MODELS": str(tmp_path), "FACESTREAM_DATA": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(LACKING), json.dumps(list(COMMANDS))],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=2 * PATIENCE_SECONDS, check=False,
    )  # fmt: skip
    found = json.loads(done.stdout or pytest.fail(done.stderr))
    for (command, words), (code, said) in zip(COMMANDS.items(), found, strict=True):
        assert code in (1, 2), (command, code, said)
        assert words in said, (command, said)
