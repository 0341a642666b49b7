"""What was measured on one processor is not believed on another."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.sessions import processor
from engine.sessions.processor import gpus_here, processor_here

X86 = "processor\t: 0\nmodel name\t: Some(R) CPU\nflags\t\t: avx2 {more}\n\nprocessor\t: 1\nmodel name\t: Some(R) CPU\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd\nCPU part\t: 0xd0c\n"


@pytest.mark.parametrize(
    ("described", "begins"), [(X86.format(more=""), "Some(R) CPU "), (ARM, "0xd0c "), ("odd\n", ""), ("", "")]
)
def test_every_processor_has_a_name(monkeypatch: pytest.MonkeyPatch, described: str, begins: str):
    """One of ARM has neither a model name nor flags: it used to end the run."""
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: described)
    name = processor_here.__wrapped__()
    assert name.startswith(begins)
    assert name


def test_other_instructions_are_another_processor(monkeypatch: pytest.MonkeyPatch):
    names = set()
    for more in ("", "avx512_bf16"):
        monkeypatch.setattr(Path, "read_text", lambda *_, more=more, **__: X86.format(more=more))
        names.add(processor_here.__wrapped__())
    assert len(names) == 2


def test_gpus_are_what_the_kernel_tells(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    told = {
        "version": "NVRM version: NVIDIA UNIX  580.1\nGCC version: 13\n",
        "gpus/0000:01:00.0/information": "Model: \t\t NVIDIA L4\nIRQ: 7\n",
        "gpus/0000:02:00.0/information": "Model: \t\t NVIDIA T4\n",
    }
    for name, text in told.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(processor, "Path", lambda name: tmp_path)
    assert gpus_here.__wrapped__() == "NVRM version: NVIDIA UNIX 580.1, Model: NVIDIA L4, Model: NVIDIA T4"
    monkeypatch.setattr(processor, "Path", lambda name: tmp_path / "none")
    assert gpus_here.__wrapped__() == ""
