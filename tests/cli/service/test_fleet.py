"""``facestream fleet`` over a real database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli.app import main
from tests.fleet.conftest import database, server

__all__ = ["database", "server"]
FILE = "cameras: [{uri: 'rtsp://192.0.2.10/one', name: door}]"


def fleet(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Return exit code, output and errors."""
    with pytest.raises(SystemExit) as ended:
        main(["fleet", *words])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def test_a_fleet_is_begun_looked_at_and_ended(capsys: pytest.CaptureFixture[str], tmp_path: Path, database: str) -> None:
    where, path = ("--database", database), tmp_path / "FLEET.yaml"
    code, _, said = fleet(capsys, "status", *where)
    assert (code, "start one with `facestream fleet apply FLEET.yaml`" in said) == (1, True)
    path.write_text(FILE)
    assert fleet(capsys, "apply", str(path), *where, "--dry-run")[1] == "+ door rtsp://192.0.2.10/one\n"
    assert fleet(capsys, "apply", str(path), *where)[1] == "+ door rtsp://192.0.2.10/one\n"
    assert fleet(capsys, "apply", str(path), *where)[1] == "nothing changes\n"
    code, told, _ = fleet(capsys, "status", *where)
    assert code == 1, "it has no node"
    assert "door" in told
    assert "0 of 0 nodes are up, 0 of 1 cameras have a node" in told
    view = json.loads(fleet(capsys, "status", *where, "--json")[1])
    assert view["cameras"][0]["uri"] == "rtsp://192.0.2.10/one"
    assert fleet(capsys, "drain", "box-1", *where) == (2, "", "facestream: there is no node 'box-1': none was ever there\n")
    assert fleet(capsys, "rebalance", *where, "--dry-run")[1] == "nothing moves\n"
    assert json.loads(fleet(capsys, "rebalance", *where, "--json")[1]) == {"moves": [], "applied": True}
    path.write_text("cameras: []")
    assert json.loads(fleet(capsys, "apply", str(path), *where, "--json")[1]) == {"changes": ["- door"], "applied": True}
    assert fleet(capsys, "status", *where)[0] == 0


@pytest.mark.parametrize(
    ("where", "code", "says"),
    [
        ("mysql://h/d", 2, "is not a database of a fleet: give postgresql://"),
        ("mysql://u:secret@h/d", 2, "is not a database of a fleet: give postgresql://"),
        ("postgresql://u@127.0.0.1:1/d", 1, "the database postgresql://127.0.0.1:1/d: connection failed"),
        ("postgresql://u:secret@127.0.0.1:1/d", 2, "holds a password, which others would see: put it in ~/.pgpass"),
        ("postgresql://[u:secret@h/d", 2, "--database cannot be read"),
    ],
)
def test_a_database_that_is_none_is_said(capsys: pytest.CaptureFixture[str], where: str, code: int, says: str) -> None:
    got, _, said = fleet(capsys, "status", "--database", where)
    assert (got, says in said) == (code, True)
    assert "secret" not in said
