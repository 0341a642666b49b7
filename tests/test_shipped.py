"""The examples and recipes are found in the package that is installed, else at the top of the source."""

from pathlib import Path

from engine import shipped


def test_the_package_is_looked_at_first(monkeypatch, tmp_path: Path):
    package = tmp_path / "engine"
    monkeypatch.setattr(shipped, "_PACKAGE", package)
    assert shipped.shipped("train") == tmp_path / "configs" / "train"
    (package / "configs" / "train").mkdir(parents=True)
    assert shipped.shipped("train") == package / "configs" / "train"
