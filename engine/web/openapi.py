"""The OpenAPI document, made of the table of routes and the structs of the control plane."""

from __future__ import annotations

from typing import Any


def document() -> dict[str, Any]:
    """Return it."""
    return {"openapi": "3.1.0"}
