"""The address of a database holds no password, and shows none."""

from __future__ import annotations

import pytest

from engine.errors import ConfigError
from engine.postgres.address import is_postgres, refuse_password, without_password


@pytest.mark.parametrize(
    "where",
    [
        "postgresql://me:secret@db/x",
        "postgresql://me:@db/x",
        "postgresql://db/x?sslpassword=secret",
        "postgresql://db/x?%70assword=secret",
    ],
)
def test_an_address_holds_no_password(where: str) -> None:
    with pytest.raises(ConfigError, match=r"^fleet.database postgresql://.* holds a password.*~/.pgpass") as refused:
        refuse_password(where, "fleet.database")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "where", ["postgresql://me@db/x", "postgresql:///x?host=/tmp", "postgresql://a:5432,b:5432/x?passfile=/x"]
)
def test_an_address_without_one_is_as_libpq_takes_it(where: str) -> None:
    refuse_password(where, "fleet.database")


def test_an_address_that_is_not_utf8_is_told_with_an_escape() -> None:
    with pytest.raises(ConfigError, match=r"postgresql://caf\\udce9@db/x is not UTF-8: write postgresql://USER@HOST/NAME"):
        refuse_password("postgresql://caf\udce9@db/x", "the address")


def test_no_password_is_shown() -> None:
    assert without_password("postgresql://me:secret@db/x?sslmode=require") == "postgresql://me@db/x?sslmode=require"
    assert without_password("postgresql://db/x?password=secret&a=1") == "postgresql://db/x?password=***&a=1"


def test_a_database_is_told_from_a_file() -> None:
    assert is_postgres("postgres://db")
    assert not is_postgres("gallery.sqlite")
