"""`make demo` as a process of its own, on free ports and in a folder of its own: for tests and pictures."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tools.service_process import ServiceProcess

RUN = Path(__file__).resolve().parent.parent / "demo" / "run.py"


class DemoProcess(ServiceProcess):
    """The service and the newspaper; may be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        """Choose the ports; nothing is started yet."""
        port, self.host_port = free_ports(2)
        super().__init__(folder, port=port, settings={"PORT": str(port), "HOST_PORT": str(self.host_port)})

    @property
    def service(self) -> str:
        """The service's address."""
        return f"http://localhost:{self.port}"

    @property
    def newspaper(self) -> str:
        """The address of the host page."""
        return f"http://127.0.0.1:{self.host_port}/"

    @property
    def password(self) -> str:
        """The moderator's password."""
        return (self.folder / "password").read_text("utf-8").strip()

    def start_demo(self) -> None:
        """Start both, and wait until they can serve."""
        self.start(command=(sys.executable, str(RUN), "--folder", str(self.folder)))


@contextmanager
def running_demo(folder: Path) -> Iterator[DemoProcess]:
    """A demo that is stopped at the end."""
    demo = DemoProcess(folder)
    try:
        demo.start_demo()
        yield demo
    finally:
        demo.stop()


def free_ports(count: int) -> list[int]:
    """Numbers of ports that are free now, all different."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
