"""The OpenAPI document, made of the table of routes and the structs that they take and give."""

from __future__ import annotations

import copy
import functools
from typing import Any

import msgspec

from engine import __version__
from engine.contracts.json_schema import schema_components
from engine.control.answers import Problem
from engine.web.paths import API
from engine.web.problems import STATUS
from engine.web.routes import ENTRIES, Known, TokenShown
from engine.web.table import Entry

_REF = "#/components/schemas/{name}"
_PICTURE = {"type": "string", "format": "binary"}
_PROBLEMS = ("400", "401", "403", "404", "409", "413", "422", "500", "503", "504")
_KINDS_OF_PARAMETER = {"track_id": {"type": "integer", "minimum": 0}}
_DESCRIPTION = (
    "The control plane of facestream. Show a token of `facestream tokens new` as `Authorization: Bearer TOKEN`; a browser logs "
    "in with `POST /session`, and repeats the session's `csrf` as `X-CSRF-Token` with all that changes something."
)


class _Error(msgspec.Struct):
    """What an answer that is an error holds."""

    error: Problem


@functools.cache
def document() -> dict[str, Any]:
    """Return it, as OpenAPI 3.1."""
    types = [entry.verb for entry in ENTRIES if entry.verb] + [entry.answer for entry in ENTRIES if entry.answer]
    wanted = list(dict.fromkeys([*types, Known, TokenShown, _Error]))
    schemas, components = schema_components(wanted, ref_template=_REF)
    by_type = dict(zip(wanted, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for entry in ENTRIES:
        paths.setdefault(API + entry.plain_path, {})[entry.method.lower()] = _operation(entry, by_type, components)
    paths[f"{API}/session"]["post"] = {
        "summary": "Log in.",
        "operationId": "post_session",
        "security": [],
        "requestBody": _body({"application/json": by_type[TokenShown]}),
        "responses": _responses(200, {"application/json": by_type[Known]}),
    }
    paths[f"{API}/openapi.json"] = {
        "get": {
            "summary": "This document.",
            "operationId": "get_openapi",
            "responses": _responses(200, {"application/json": {}}),
        }
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "facestream", "version": __version__, "description": _DESCRIPTION},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "facestream-8765"},
            },
        },
        "security": [{"token": []}, {"session": []}],
    }


def _operation(entry: Entry, by_type: dict[Any, dict[str, Any]], components: dict[str, Any]) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": _KINDS_OF_PARAMETER.get(name, {"type": "string"})}
        for name in entry.parameters
    ]
    parameters += [{"name": name, "in": "query", "schema": {"type": "string"}} for name in entry.query]
    if entry.method != "GET":
        parameters.append({"name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "maxLength": 128}})
    words = [entry.method, *entry.plain_path.replace("{", "").replace("}", "").strip("/").split("/")]
    content = {entry.media_type: by_type[entry.answer] if entry.answer else _PICTURE}
    operation: dict[str, Any] = {
        "summary": entry.summary,
        "operationId": "_".join(words).replace("-", "_").lower(),
        "description": f"Needs the role `{entry.role}`." if entry.role else "Needs any role.",
        "parameters": parameters,
        "responses": _responses(entry.status, {} if entry.status == 204 else content),
    }
    if entry.body and entry.verb:
        operation["requestBody"] = _body(_contents(entry, by_type[entry.verb], components))
    return operation


def _contents(entry: Entry, schema: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    if entry.body == "changes":
        return {"application/json": {"type": "object"}}
    fields = copy.deepcopy(components[schema["$ref"].rpartition("/")[2]])
    given = {*entry.parameters, "verb"}
    fields["properties"] = {name: kind for name, kind in fields["properties"].items() if name not in given}
    fields["required"] = [name for name in fields.get("required", ()) if name not in given]
    fields.pop("title", None)
    pictures = {"image/*": _PICTURE, "application/octet-stream": _PICTURE} if entry.body == "picture" else {}
    return {"application/json": fields, **pictures}


def _body(contents: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {kind: {"schema": schema} for kind, schema in contents.items()}}


def _responses(status: int, contents: dict[str, Any]) -> dict[str, Any]:
    done: dict[str, Any] = {"description": "Done."}
    if contents:
        done["content"] = {kind: {"schema": schema} for kind, schema in contents.items()}
    error = {"$ref": _REF.format(name="_Error")}
    meaning: dict[str, str] = {}
    for code, number in STATUS.items():
        meaning[str(number)] = f"{meaning[str(number)]}, {code}" if str(number) in meaning else code
    problems = {
        number: {"description": meaning[number], "content": {"application/json": {"schema": error}}} for number in _PROBLEMS
    }
    return {str(status): done, **problems}
