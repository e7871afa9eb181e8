"""Every moderators' page in every state, looked at by everybody: light, dark, small, by keys, mirrored."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import request, template_rendered
from playwright.sync_api import Browser

from comments_service.settings import Settings
from comments_service.web.sessions import is_moderators
from tests.browser import Console
from tests.conftest import SECRET_KEY
from tests.looks import complaints, prepare
from tests.room import Room, furnished
from tests.views import VIEWS

TEMPLATES = Path(__file__).resolve().parent.parent / "templates"
LINKED = ("/confirm/", "/letters/")  # where letters lead, without a sign-in
NO_PAGES = {
    *("/", "/queue/rows", "/audit/export.csv"),  # a redirect, rows for a page that is there, a file
    "/settings/<key>/blocklists/export.csv",
}


@pytest.fixture(scope="module")
def room(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """The room, for all tests of this worker."""
    file = tmp_path_factory.mktemp("room") / "comments.sqlite3"
    file.write_bytes(sqlite_template.read_bytes())
    with furnished(Settings(database_url=f"sqlite:///{file}", secret_key=SECRET_KEY)) as room:
        yield room


@pytest.mark.parametrize("name", VIEWS)
def test_every_page_looks_right_to_everybody(browser: Browser, room: Room, name: str) -> None:
    view = VIEWS[name]
    with closing(room.context(browser, view.person)) as context:
        page = context.new_page()
        prepare(page)
        console = Console(page)
        with rendering(room) as rendered:
            view.open(page, room)
        assert view.route in {route for route, _ in rendered}
        assert view.template in {template for _, template in rendered}
        assert complaints(page) == []
        assert console.unexpected == []


@contextmanager
def rendering(room: Room) -> Iterator[set[tuple[str, str]]]:
    """Collect which templates are shown meanwhile, and on which routes."""
    shown = set()

    def note(_app: object, template: Any, **_: object) -> None:
        shown.add((plain(str(request.url_rule)), template.name))

    with template_rendered.connected_to(note, room.service.app):
        yield shown


def plain(rule: str) -> str:
    """A route without its converters."""
    return re.sub(r"<(?:[^<>]*:)?(\w+)>", r"<\1>", rule)


def test_no_page_is_missing_in_the_table(room: Room) -> None:
    rules = [rule for rule in room.service.app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    pages = {plain(rule.rule) for rule in rules if is_moderators(rule.rule) or rule.rule.startswith(LINKED)}
    looked_at = {view.route for view in VIEWS.values()}
    missing, gone = pages - NO_PAGES - looked_at, looked_at - pages
    assert not missing, f"give each of these a line in VIEWS, in tests/views.py: {missing}"
    assert not gone, f"these are no pages any more; take them out of VIEWS, in tests/views.py: {gone}"


def test_no_template_is_missing_in_the_table() -> None:
    texts = {
        file.relative_to(TEMPLATES).as_posix(): file.read_text("utf-8") for file in TEMPLATES.rglob("*.html")
    }
    frames = set(re.findall(r'{% extends "([^"]+)" %}', "".join(texts.values())))
    pages = {name for name, text in texts.items() if "{% extends" in text and not name.startswith("public/")}
    assert {view.template for view in VIEWS.values()} == pages - frames
