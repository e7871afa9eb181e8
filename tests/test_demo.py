"""`make demo` as a process: what it leaves, what a second start finds, how it stops and what it refuses."""

from __future__ import annotations

import json
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from comments_service.sites import owner_lines
from demo.run import ARTICLE_ID, HEADLINE, SITE
from tools.demo_process import RUN, DemoProcess, running_demo


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoProcess]:
    """A demo in its first start, for tests that only look at it."""
    with running_demo(tmp_path_factory.mktemp("demo")) as process:
        yield process


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[DemoProcess]:
    """A demo in its first start."""
    with running_demo(tmp_path) as process:
        yield process


def read(address: str) -> str:
    """What stands at an address."""
    with urlopen(address) as response:
        return str(response.read().decode())


def thread(demo: DemoProcess) -> str:
    """The article's comments as the widget gets them, but for the time they were written at."""
    asked = {"url": demo.newspaper, "id": ARTICLE_ID, "title": HEADLINE}
    return read(f"{demo.service}/api/v1/sites/{SITE}/thread?{urlencode(asked)}")


def run_refused(folder: Path, **ports: int | str) -> str:
    """Start a demo that cannot start; what it says."""
    environment = {name: str(port) for name, port in ports.items()}
    command = [sys.executable, str(RUN), "--folder", str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    return done.stderr


def test_the_first_start_leaves_two_approved_comments_and_their_heading(seen: DemoProcess) -> None:
    page = json.loads(thread(seen))
    assert page["thread"]["heading"] == f"2 thought on “{HEADLINE}”"
    assert [comment["depth"] for comment in page["comments"]] == [1, 2]


def test_the_host_page_has_the_owners_two_lines_and_nothing_else_of_ours(seen: DemoProcess) -> None:
    page = read(seen.newspaper)
    lines = owner_lines(SITE, public_url=seen.service)
    lines = lines.replace(" async", f' data-article-id="{ARTICLE_ID}" async')
    assert all(line in page for line in lines.splitlines())
    assert page.count(seen.service) == 2
    assert f"<h1>{HEADLINE}</h1>" in page


def test_a_second_start_adds_nothing_and_keeps_password_and_comments(demo: DemoProcess) -> None:
    before = (demo.password, thread(demo))
    demo.stop()
    demo.start_demo()
    assert (demo.password, thread(demo)) == before


def test_the_password_is_for_the_owner_of_the_folder_alone(seen: DemoProcess) -> None:
    assert stat.S_IMODE((seen.folder / "password").stat().st_mode) == 0o600
    assert seen.password in seen.log.read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_term_stop_it_cleanly(demo: DemoProcess, number: signal.Signals) -> None:
    demo.signal(number)
    assert demo.wait() == 0
    assert "Traceback" not in demo.log.read_text()


def test_the_origins_follow_the_ports(demo: DemoProcess) -> None:
    demo.stop()
    with running_demo(demo.folder) as moved:
        assert moved.host_port != demo.host_port
        assert json.loads(thread(moved))["thread"]["count"] == 2


@pytest.mark.parametrize("variable", ["PORT", "HOST_PORT"])
def test_a_port_in_use_is_one_sentence_and_nothing_is_stored(variable: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, socket.create_server(("127.0.0.1", 0)) as free:
        port, host_port = other.getsockname()[1], free.getsockname()[1]
        free.close()
        ports = {"PORT": host_port, "HOST_PORT": host_port} | {variable: port}
        said = run_refused(tmp_path / "demo", **ports)
    assert said.count("\n") == 1
    assert f"Port {port} cannot be used" in said
    assert not (tmp_path / "demo").exists()


def test_a_port_that_is_no_port_is_one_sentence(tmp_path: Path) -> None:
    assert run_refused(tmp_path, PORT="http") == "demo: PORT must be a port from 1 to 65535, not “http”.\n"
