from __future__ import annotations

import msgspec

from engine.contracts.json_schema import schema_components


class Counted(msgspec.Struct):
    """What was counted.

    Over all streams.
    """

    description: str
    propertyNames: dict[str, int]


def test_a_docstring_has_no_indent_and_no_release_says_names_of_a_map() -> None:
    (reference,), components = schema_components([Counted], ref_template="#/$defs/{name}")
    assert reference == {"$ref": "#/$defs/Counted"}
    assert components["Counted"]["description"] == "What was counted.\n\nOver all streams."
    assert set(components["Counted"]["properties"]) == {"description", "propertyNames"}
    assert "propertyNames" not in components["Counted"]["properties"]["propertyNames"]
