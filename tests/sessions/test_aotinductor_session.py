"""What stands in the way of a package of AOTInductor; what one computes is in tests/trt_build/engines."""

import builtins
from pathlib import Path

import pytest

from engine.errors import ConfigError, FacestreamError, MissingRuntimeError, ModelError
from engine.sessions.session import SessionSpec, open_session


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "face.pt2"
    path.write_bytes(b"no package")
    return path


def test_without_torch_it_says_what_to_install(file: Path, monkeypatch: pytest.MonkeyPatch):
    whole = builtins.__import__

    def absent(name: str, *rest: object) -> object:
        if name == "torch":
            raise ImportError("No module named 'torch'")
        return whole(name, *rest)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(MissingRuntimeError, match=r"^torch is not installed: pip install 'facestream\[aotinductor\]' \(No"):
        open_session(SessionSpec(file, "aotinductor"))


@pytest.mark.parametrize(
    ("spec", "kind", "words"),
    [
        (
            {},
            ModelError,
            r"face cannot be loaded by torch \S+: it is damaged, of another version, or not what `trt-build build ",
        ),
        ({"precision": "bfloat16"}, ConfigError, "AOTInductor computes face in what it was built for, not in bfloat16"),
        ({"device": "gpu1"}, ConfigError, "torch has no device 'gpu1' for face: use cpu, or cuda:0"),
        (
            {"device": "cuda:0"},
            MissingRuntimeError,
            r"torch \S+ finds no CUDA here to compute face: install a driver and a torch",
        ),
    ],
)
def test_what_it_cannot_open_is_one_sentence(file: Path, spec: dict[str, str], kind: type[FacestreamError], words: str):
    torch = pytest.importorskip("torch", reason="needs the extra aotinductor")
    if spec.get("device") == "cuda:0" and torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(kind, match=words) as refused:
        open_session(SessionSpec(file, "aotinductor", name="face", **spec))
    assert "\n" not in str(refused.value)
