"""Every option of a configuration says what it is for, beside its type and default."""

import ast
from pathlib import Path

import pytest

import engine.config
import engine.config.fleet
import engine.config.serve
import engine.config.supervise
import engine.config.verify
import engine.contracts.camera


def _undocumented(section: ast.ClassDef) -> list[str]:
    after = [*section.body[1:], None]
    fields = [
        (one.target.id, following)
        for one, following in zip(section.body, after, strict=True)
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
    ]
    return [name for name, text in fields if not (isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant))]


@pytest.mark.parametrize(
    "module",
    [
        engine.config,
        engine.config.fleet,
        engine.config.serve,
        engine.config.supervise,
        engine.config.verify,
        engine.contracts.camera,
    ],
)
def test_every_option_is_documented(module):
    found = {}
    for one in ast.parse(Path(module.__file__).read_text()).body:
        # of a whole configuration each section describes itself; a ``Camera`` is what comes of the options
        if isinstance(one, ast.ClassDef) and one.name not in ("Config", "Camera") and (missing := _undocumented(one)):
            found[one.name] = missing
    assert found == {}
