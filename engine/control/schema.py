"""The schema of the protocol, made from the structs themselves."""

from __future__ import annotations

import msgspec

from engine.contracts.json_schema import schema_components
from engine.control.answers import Reply
from engine.control.verbs import PROTOCOL, Request


def control_schema() -> bytes:
    """Return a JSON Schema (2020-12) of requests and replies; over ZeroMQ the same values are MessagePack maps."""
    (request, reply), parts = schema_components([Request, Reply], ref_template="#/$defs/{name}")
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": PROTOCOL.decode(),
        "description": "A DEALER sends [protocol, Request] and gets [protocol, Reply], both MessagePack maps.",
        "oneOf": [request, reply],
        "$defs": parts,
    }
    return msgspec.json.format(msgspec.json.encode(schema), indent=1) + b"\n"
