"""A job over a gallery that is encrypted: its copy is, too, and its key is found from wherever a worker is."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.config import Config
from engine.config.verify import VerifyConfig
from engine.jobs.archive import _with_gallery
from engine.jobs.job_folder import JobFolder
from engine.verify.gallery.opening import open_gallery
from tests.verify.gallery.sqlite.keys import key_file


def test_a_key_that_is_named_from_here_is_found_from_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sqlcipher3")
    key_file(tmp_path / "people.key")
    monkeypatch.chdir(tmp_path)
    folder = JobFolder(tmp_path / "job")
    folder.make()
    config = replace(Config(), verify=VerifyConfig(gallery="people.sqlite", gallery_key_file="people.key"))
    copied = _with_gallery(config, folder)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with open_gallery(copied.verify.gallery_place, read_only=True) as gallery:
        assert gallery.is_empty()
