"""`docs/openapi.yaml` and the service say the same: routes, problems, examples and real answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask
from flask.testing import FlaskClient
from openapi_schema_validator import OAS31Validator, oas31_format_checker
from openapi_spec_validator import validate
from referencing import Registry
from referencing.jsonschema import DRAFT202012
from werkzeug.test import TestResponse

from comments_service import __version__, errors
from comments_service.vocabulary import SiteView
from tests.doors import change_site
from tests.factories import ARTICLE, ORIGIN, a_body, a_comment

FILE = Path(__file__).resolve().parent.parent / "docs" / "openapi.yaml"
DESCRIPTION: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
REGISTRY: Registry[Any] = Registry().with_resource("urn:api", DRAFT202012.create_resource(DESCRIPTION))
METHODS = {"get", "post", "put", "patch", "delete"}
ANSWERED_EVERYWHERE = {"HEAD", "OPTIONS"}  # the description's first lines speak of them once for all
ASKED = {"url": ARTICLE}


def test_the_description_is_openapi_and_of_this_release() -> None:
    validate(DESCRIPTION)
    assert DESCRIPTION["info"]["version"] == __version__


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_route_is_described_and_every_described_route_is_there(app: Flask) -> None:
    served = {
        (nameless(rule.rule), method)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - ANSWERED_EVERYWHERE
    }
    described = {
        (nameless(path), method.upper())
        for path, item in DESCRIPTION["paths"].items()
        for method in item.keys() & METHODS
    }
    assert served == described


def test_every_problem_is_described_and_every_described_problem_is_there() -> None:
    slugs = {error.slug for error in public_errors(errors.CommentsError)} | {"method-not-allowed"}
    described = DESCRIPTION["components"]["schemas"]["ProblemType"]["enum"]
    assert sorted(described) == sorted(f"urn:comments:problem:{slug}" for slug in slugs)


def test_every_example_is_what_its_schema_allows() -> None:
    examples = list(examples_in(DESCRIPTION))
    assert len(examples) > 10
    for schema, example in examples:
        check(schema, example)


def test_every_described_json_answer_of_200_to_202_has_an_example() -> None:
    bare = [
        (path, method, status)
        for path, item in DESCRIPTION["paths"].items()
        for method in item.keys() & METHODS
        for status in item[method]["responses"].keys() & {"200", "202"}
        for content in [resolved(item[method]["responses"][status]).get("content", {})]
        if "application/json" in content and "example" not in content["application/json"]
    ]
    assert not bare


def test_a_thread_is_as_described(app: Flask, site: SiteView, client: FlaskClient) -> None:
    parent = a_comment(app, site)
    a_comment(app, site, parent_id=parent.id, website="https://ben.example.org")
    response = client.get(f"/api/v1/sites/{site.key}/thread", query_string=ASKED)
    check_answer(response, "/api/v1/sites/{site}/thread")
    assert response.json is not None
    assert len(response.json["comments"]) == 2


def test_a_sent_comment_is_answered_as_described(site: SiteView, client: FlaskClient) -> None:
    ticket = client.get(f"/api/v1/sites/{site.key}/ticket", query_string=ASKED)
    check_answer(ticket, "/api/v1/sites/{site}/ticket")
    body = a_body(ticket.json["ticket"] if ticket.json else "")
    sent = client.post(f"/api/v1/sites/{site.key}/comments", json=body, headers={"Origin": ORIGIN})
    check_answer(sent, "/api/v1/sites/{site}/comments", "post")
    assert sent.status_code == 202
    assert sent.json is not None
    receipt = {"Authorization": f"Bearer {sent.json['receipt']}"}
    own = client.get(f"/api/v1/comments/{sent.json['comment']['id']}", headers=receipt)
    check_answer(own, "/api/v1/comments/{id}")
    edited = client.patch(own.request.path, json={"text": "Said anew."}, headers=receipt | {"Origin": ORIGIN})
    check_answer(edited, "/api/v1/comments/{id}", "patch")


def test_a_ticket_with_work_is_answered_as_described(app: Flask, site: SiteView, client: FlaskClient) -> None:
    change_site(app, site, options={"proof": "always"})
    ticket = client.get(f"/api/v1/sites/{site.key}/ticket", query_string=ASKED)
    check_answer(ticket, "/api/v1/sites/{site}/ticket")
    assert ticket.json is not None
    assert ticket.json["challenge"]


def test_wrong_fields_are_answered_as_described(site: SiteView, client: FlaskClient) -> None:
    ticket = client.get(f"/api/v1/sites/{site.key}/ticket", query_string=ASKED).json
    body = a_body(ticket["ticket"] if ticket else "", email="nobody", text="")
    response = client.post(f"/api/v1/sites/{site.key}/comments", json=body, headers={"Origin": ORIGIN})
    assert response.status_code == 422
    check_answer(response, "/api/v1/sites/{site}/comments", "post")


def test_a_body_that_is_too_large_is_answered_as_described(site: SiteView, client: FlaskClient) -> None:
    body = {"text": "x" * 600_000}
    response = client.post(f"/api/v1/sites/{site.key}/comments", json=body, headers={"Origin": ORIGIN})
    assert response.status_code == 413
    check_answer(response, "/api/v1/sites/{site}/comments", "post")


def test_counts_and_health_are_answered_as_described(site: SiteView, client: FlaskClient) -> None:
    counts = client.get(f"/api/v1/sites/{site.key}/counts", query_string=ASKED)
    check_answer(counts, "/api/v1/sites/{site}/counts")
    check_answer(client.get("/healthz"), "/healthz")
    check_answer(client.get("/readyz"), "/readyz")


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/api/v1/sites/nobody/thread", {}),
        ("/api/v1/sites/demo/thread", {}),
        ("/api/v1/sites/demo/thread", {"Origin": "https://elsewhere.example.org"}),
        ("/api/v1/sites/demo/thread?cursor=x&url=https://news.example.org/", {}),
    ],
)
def test_refusals_are_answered_as_described(
    path: str, headers: dict[str, str], site: SiteView, client: FlaskClient
) -> None:
    check_answer(client.get(path, headers=headers), "/api/v1/sites/{site}/thread")


def nameless(path: str) -> str:
    """A route without the names of its places: `/sites/<site_key>/thread` and `/sites/{site}/thread`."""
    return re.sub(r"<[^<>]*>|\{[^{}]*\}", "{}", path)


def public_errors(kind: type[errors.CommentsError]) -> Iterator[type[errors.CommentsError]]:
    """An error and all below it, but for those that only whoever starts the service sees."""
    if kind is not errors.CannotStart:
        yield kind
        for child in kind.__subclasses__():
            yield from public_errors(child)


def examples_in(node: Any) -> Iterator[tuple[dict[str, Any], Any]]:
    """Every example below a node, with the schema beside it."""
    if isinstance(node, dict):
        if "example" in node and "schema" in node:
            yield node["schema"], node["example"]
        for child in node.values():
            yield from examples_in(child)
    elif isinstance(node, list):
        for child in node:
            yield from examples_in(child)


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """What a `$ref` within the description points at; any other node as it is."""
    if "$ref" not in node:
        return node
    found: Any = DESCRIPTION
    for step in node["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return resolved(found)


def check(schema: dict[str, Any], value: Any) -> None:
    """Hold a value against a schema of the description."""
    absolute = yaml.safe_load(yaml.safe_dump(schema).replace("#/components/", "urn:api#/components/"))
    validator = OAS31Validator(absolute, registry=REGISTRY, format_checker=oas31_format_checker)
    wrong = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]
    assert not wrong


def check_answer(response: TestResponse, path: str, method: str = "get") -> None:
    """Hold a real answer against what is described for its status: body, type and named headers."""
    described = resolved(DESCRIPTION["paths"][path][method]["responses"][str(response.status_code)])
    check(described["content"][response.mimetype]["schema"], response.json)
    for name, header in described.get("headers", {}).items():
        assert name in response.headers
        schema = resolved(header)["schema"]
        value = response.headers[name]
        check(schema, int(value) if schema.get("type") == "integer" else value)
