"""JSON schemas of our structs, the same whichever version of msgspec makes them."""

from __future__ import annotations

import inspect
from typing import Any

import msgspec


def schema_components(types: list[Any], *, ref_template: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return a schema of each of ``types``, and the schemas by name that these refer to.

    As ``msgspec.json.schema_components``. Releases of it differ in what they leave of a docstring's indent, and in whether
    they say which names a map may have; here the indent is gone, and they are not said.
    """
    schemas, components = msgspec.json.schema_components(types, ref_template=ref_template)
    return [_settled(schema) for schema in schemas], _settled(components)


def _settled(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_settled(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    settled = {key: _settled(value) for key, value in schema.items() if not (key == "propertyNames" and "type" in schema)}
    if isinstance(text := settled.get("description"), str):
        settled["description"] = inspect.cleandoc(text)
    return settled
