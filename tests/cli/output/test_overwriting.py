from __future__ import annotations

from pathlib import Path

import pytest

from engine.cli.output.overwriting import check_new, write_result
from engine.errors import UsageError
from tests.cli.command import complains, here


def test_what_is_there_is_said_with_what_else_may_be_done(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    check_new([file, None], overwrite=False)
    write_result(file, b"1")
    with pytest.raises(UsageError, match=r"a\.png is there already: choose another folder, or add --overwrite"):
        check_new([file], overwrite=False, instead="choose another folder")
    check_new([file], overwrite=True)


def test_a_result_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    write_result(tmp_path / "new" / "a.png", b"1")
    assert (tmp_path / "new" / "a.png").read_bytes() == b"1"
    with pytest.raises(UsageError, match="choose another folder with --out"):
        write_result(tmp_path / "new" / "a.png" / "b.png", b"2")
    assert [path.name for path in tmp_path.rglob("*")] == ["new", "a.png"]


@pytest.mark.parametrize(
    "words", [("enrol", "ada", "A", "--sheet"), ("search", "A", "B", "--page"), ("compare", "B", "A", "--page")]
)
def test_nothing_takes_the_place_of_a_photograph_that_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("A", "B"):
        Path(name).write_bytes(b"mine")
    complains(here(capsys, *words, "A", "--overwrite"), 2, "A is a recording or picture that is read")
    assert Path("A").read_bytes() == b"mine"
