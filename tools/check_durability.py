"""Shows by strace that the service answers only for what is on the disk.

A thousand comments are sent to a traced service. In each thread's own list of system calls, every 2xx
answer to a submission must come after an fdatasync of the journal (SQLite's WAL), and that after the last
write to it. `--plant` lets SQLite forget to sync: then the check must find nothing, or it is worth nothing.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tools.crash_test import ACCEPTED, free_port
from tools.service_process import COMMENTS, Reader, ServiceProcess

SUBMISSIONS = 1000
READERS = 4
CALLS = "write,pwrite64,writev,pwritev,fsync,fdatasync,sendto,sendmsg"
# Each connection that is taken out of the pool loses its care: later than the service's own pragmas
WITHOUT_SYNC = """
from sqlalchemy import event
from sqlalchemy.pool import Pool
from comments_service.cli import main
event.listen(Pool, "checkout", lambda dbapi, *_: dbapi.execute("PRAGMA synchronous=OFF"))
main(["serve"])
"""
CALL = re.compile(r"(\w+)\(\d+<([^>]*)>(.*)\)\s+= (-?\d+)")
ACKNOWLEDGEMENT = re.compile(r'"HTTP/1\.1 20[12] ')


@dataclass(frozen=True)
class Finding:
    """How many acknowledgements were seen, and how many of them came after their bytes were safe."""

    acknowledged: int
    safe: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Trace, send, and print the figure; 1 when an answer came too early."""
    parser = argparse.ArgumentParser(description="Show that every answer waits for the disk.")
    parser.add_argument("--submissions", type=int, default=SUBMISSIONS)
    parser.add_argument("--plant", action="store_true", help="let SQLite not sync: the check must fail")
    chosen = parser.parse_args(arguments)
    strace = shutil.which("strace")
    if strace is None:
        print("strace is missing; install it (on Debian: apt-get install strace)", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="comments-durability-") as name:
        folder = Path(name)
        service = ServiceProcess(folder, port=free_port())
        service.add_site()
        served = [sys.executable, "-c", WITHOUT_SYNC] if chosen.plant else [*COMMENTS, "serve"]
        trace = [strace, "-f", "-ff", "-y", "-qq", "-s", "24", "-e", f"trace={CALLS}"]
        service.start(command=[*trace, "-o", str(folder / "trace"), *served])
        try:
            sent = send(service, chosen.submissions)
        finally:
            service.stop()
        finding = judge(file.read_text(errors="replace").splitlines() for file in folder.glob("trace.*"))
    print(
        f"{finding.safe:,} of {chosen.submissions:,} acknowledgements came after an fdatasync of the journal"
    )
    if (sent, finding.acknowledged) != (chosen.submissions, chosen.submissions):
        print(f"but {sent:,} submissions were taken, and {finding.acknowledged:,} answers seen in the trace")
    return 0 if finding.safe == sent == chosen.submissions else 1


def send(service: ServiceProcess, submissions: int) -> int:
    """Send comments by a few readers at once; how many were taken."""

    def some(reader_number: int) -> int:
        reader = Reader(service.port)
        mine = range(reader_number, submissions, READERS)
        taken = sum(reader.send(f"Comment {n}.", key=f"key-{n}")[0] in ACCEPTED for n in mine)
        reader.close()
        return taken

    with ThreadPoolExecutor(READERS) as pool:
        return sum(pool.map(some, range(READERS)))


def judge(traces: Iterable[Sequence[str]]) -> Finding:
    """Read the calls of each thread: the thread that commits is the one that answers."""
    findings = [_judge_thread(lines) for lines in traces]
    return Finding(sum(f.acknowledged for f in findings), sum(f.safe for f in findings))


def _judge_thread(lines: Sequence[str]) -> Finding:
    acknowledged = safe = 0
    is_written = is_synced = False
    for call, file, arguments, result in (found.groups() for found in map(CALL.search, lines) if found):
        if file.endswith("-wal"):
            is_sync = call in ("fsync", "fdatasync")
            is_written |= not is_sync
            is_synced = is_sync and result == "0"
        elif call.startswith(("send", "write")) and ACKNOWLEDGEMENT.search(arguments):
            acknowledged += 1
            safe += is_written and is_synced
            is_written = is_synced = False  # the next answer needs bytes of its own
    return Finding(acknowledged, safe)


if __name__ == "__main__":
    sys.exit(main())
