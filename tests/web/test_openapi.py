from __future__ import annotations

import json
import re
from typing import Any

from starlette.routing import Route

from engine.control import verbs
from engine.web.openapi import document
from engine.web.paths import API
from tests.web.server import Server


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(references(one) for one in value.values()))
    return set().union(*(references(one) for one in value)) if isinstance(value, list) else set()


def test_the_document_has_every_route_and_every_route_is_in_it(web: Server) -> None:
    from engine.web.app import build_app

    routes = build_app(web.web)._app.routes  # type: ignore[attr-defined]
    served = {
        (method, re.sub(r":\w+}", "}", route.path))
        for route in routes
        if isinstance(route, Route) and route.path.startswith(API)
        for method in (route.methods or ()) - {"HEAD"}
    }
    written = {(method.upper(), path) for path, methods in document()["paths"].items() for method in methods}
    assert served == written


def test_it_is_served_and_every_reference_in_it_leads_somewhere(web: Server) -> None:
    served = web.ask("GET", "/api/v1/openapi.json").json
    assert served == json.loads(json.dumps(document()))
    assert served["openapi"] == "3.1.0"
    schemas = served["components"]["schemas"]
    assert {reference.removeprefix("#/components/schemas/") for reference in references(served)} <= set(schemas)
    names = [operation["operationId"] for methods in served["paths"].values() for operation in methods.values()]
    assert len(set(names)) == len(names)


def test_bodies_are_those_of_the_verbs_without_what_the_path_says() -> None:
    paths = document()["paths"]
    schema = paths["/api/v1/streams"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert (set(schema["properties"]), schema["required"], schema["additionalProperties"]) == (
        {"source", "paused"},
        ["source"],
        False,
    )
    wrong = paths["/api/v1/tracks/{run_id}/{stream}/{track_id}/wrong"]["post"]
    assert set(wrong["requestBody"]["content"]["application/json"]["schema"]["properties"]) == {"name"}
    assert {one["name"] for one in wrong["parameters"] if one["in"] == "path"} == {"run_id", "stream", "track_id"}
    assert "image/*" in paths["/api/v1/people/{name}"]["post"]["requestBody"]["content"]


def test_every_verb_has_an_address() -> None:
    from engine.web.routes import ENTRIES

    assert {entry.verb for entry in ENTRIES if entry.verb} == set(verbs.AnyVerb.__args__)
    for entry in ENTRIES:
        assert entry.verb is None or verbs.ROLE_OF[entry.verb] == entry.role
