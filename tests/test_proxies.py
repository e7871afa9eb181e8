"""Whose address counts: only trusted hops are believed."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

import pytest
from flask import Flask

from comments_service.settings import Network, Settings
from comments_service.web.proxies import client_address
from tests.doors import a_ticket
from tests.factories import ORIGIN, a_body, a_site

TRUSTED = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "header", "client"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "192.0.2.66, 198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "192.0.2.66, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("10.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
        ("10.0.0.1", "[2001:db8::7]:4711", "2001:db8::7"),
        ("10.0.0.1", "198.51.100.1, garbage", "garbage"),
        ("", "198.51.100.1", ""),
    ],
)
def test_the_walk_goes_from_the_right_while_hops_are_trusted(peer: str, header: str, client: str) -> None:
    assert client_address(peer, header, TRUSTED) == client


def test_nobody_is_trusted_by_default() -> None:
    assert client_address("127.0.0.1", "198.51.100.1", ()) == "127.0.0.1"


@pytest.mark.parametrize("trusted", [(), TRUSTED])
def test_a_stranger_cannot_write_off_a_limit_by_a_header(
    settings: Settings, make_app: Callable[[Settings], Flask], trusted: tuple[Network, ...]
) -> None:
    app = make_app(settings.model_copy(update={"trusted_proxies": trusted}))
    a_site(app)
    client = app.test_client()
    statuses = []
    for number in range(2):
        lies = {"X-Forwarded-For": f"198.51.{number}.1", "X-Real-IP": f"198.51.{number}.1", "Origin": ORIGIN}
        body, stranger = a_body(a_ticket(client)), {"REMOTE_ADDR": "203.0.113.9"}
        response = client.post(
            "/api/v1/sites/demo/comments", json=body, headers=lies, environ_overrides=stranger
        )
        statuses.append(response.status_code)
    assert statuses == [202, 429]


def test_behind_a_trusted_proxy_each_reader_has_a_limit_of_the_own_network(
    settings: Settings, make_app: Callable[[Settings], Flask]
) -> None:
    app = make_app(settings.model_copy(update={"trusted_proxies": TRUSTED}))
    a_site(app)
    client = app.test_client()
    statuses = []
    for reader in ("198.51.100.1", "198.51.100.200", "198.51.101.1", "::ffff:198.51.101.9", "2001:db8::1"):
        headers = {"X-Forwarded-For": f"192.0.2.66, {reader}, 10.0.0.2", "Origin": ORIGIN}
        body, proxy = a_body(a_ticket(client)), {"REMOTE_ADDR": "10.0.0.1"}
        response = client.post(
            "/api/v1/sites/demo/comments", json=body, headers=headers, environ_overrides=proxy
        )
        statuses.append(response.status_code)
    assert statuses == [202, 429, 202, 429, 202]
