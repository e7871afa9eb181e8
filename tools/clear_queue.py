"""Clear a queue by keys alone in a real browser, and look afterwards whether anything was lost or doubled.

    python -m tools.clear_queue [DIR] [--log FILE]

The service runs on a free port in a folder of its own, with 500 waiting comments out of the labelled CSV
files of DIR, or out of some texts of this tool's own. First 100 of them are decided, then all that are left:
one key each, pressed as soon as the next row has the focus. Ends with 1 where a figure is missed.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from typing import Any

from playwright.sync_api import Page, expect, sync_playwright
from sqlalchemy import create_engine, func, select

from comments_service.storage.journal import DECIDED, JournalRow
from tools.demo_process import free_ports
from tools.service_process import ServiceProcess
from tools.setup import find_browser

WAITING = 500
FIRST = 100
MODERATOR = "Key"
LIMIT_MS = 100.0
PATIENCE_MS = 120_000  # until the last key has its answer
SEEDING_SECONDS = 300.0
TO_STATUS = {"a": "approved", "s": "spam", "d": "trash"}
OWN_TEXTS = (
    "Could you add a map? I lose track of who lives where.",
    "Thank you for asking people who were there.",
    "My street looks like this every spring, and the council knows it.",
    "Earn from home, see https://prizes.example.com today",
    "I disagree with the last paragraph: the numbers are from before the reform.",
    "Free phones for the first hundred, https://phones.example.net",
    "Is the report public? I would like to read it myself.",
)
# Notes every key with the row it meant, and when the next row had the focus and stood on the screen
WATCH = """
window.clearing = [];
addEventListener("keydown", (event) => {
  const row = document.activeElement.closest?.(".row");
  if (!row || !"asd".includes(event.key)) return;
  const entry = { key: event.key, id: Number(row.dataset.id), pressed: event.timeStamp };
  window.clearing.push(entry);
  addEventListener("focusin", () => {
    entry.focused = performance.now();
    requestAnimationFrame(() => setTimeout(() => (entry.painted = performance.now())));
  }, { once: true });
}, { capture: true });
"""
# Until that next row is there, or the word that nothing is left
WAIT = """
() => new Promise((resolve) => {
  const look = () => {
    const isThere = window.clearing.at(-1).painted || document.activeElement.closest(".empty");
    return isThere ? resolve() : requestAnimationFrame(look);
  };
  look();
})
"""


@dataclass(frozen=True)
class Pressed:
    """One key: the comment it was pressed on, and after how long the next row had the focus, and was painted.

    Both times are missing for the last comment of all: nothing is left to go on to.
    """

    key: str
    comment_id: int
    focused_ms: float | None
    painted_ms: float | None


@dataclass(frozen=True)
class Round:
    """Keys pressed one after the other, and how often each comment was decided by what the journal says.

    A key on a row that stands for a cluster decides about all of its comments.
    """

    pressed: tuple[Pressed, ...]
    seconds: float
    decided: Counter[int]
    wrong: int

    @property
    def lost(self) -> int:
        """Keys without a decision."""
        return sum(self.decided[each.comment_id] == 0 for each in self.pressed)

    @property
    def doubled(self) -> int:
        """Comments decided more than once, or pressed on twice."""
        twice = len(self.pressed) - len({each.comment_id for each in self.pressed})
        return twice + sum(count > 1 for count in self.decided.values())

    @property
    def is_good(self) -> bool:
        """Whether all that was promised holds."""
        slowest = max(each.focused_ms or 0 for each in self.pressed)
        return not (self.lost or self.doubled or self.wrong) and slowest <= LIMIT_MS


def main(arguments: Sequence[str] | None = None) -> int:
    """Clear the queue and print the table; 1 where a figure is missed."""
    parser = argparse.ArgumentParser(description="Clear a queue of 500 comments by keys alone.")
    parser.add_argument("folder", nargs="?", type=Path, help="labelled CSV files; without, texts of its own")
    parser.add_argument("--log", type=Path, help="where to write the table to")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="comments-clearing-") as place, serving(Path(place)) as service:
        seed(service, chosen.folder)
        rounds = clear(service)
    table = table_of(rounds)
    print(table)
    if chosen.log:
        chosen.log.write_text(log_of(table, is_labelled=chosen.folder is not None), "utf-8")
    return int(not all(each.is_good for each in rounds))


@contextmanager
def serving(folder: Path) -> Iterator[ServiceProcess]:
    """The service with one site and one moderator."""
    service = ServiceProcess(folder, port=free_ports(1)[0])
    service.add_site()
    run(service, "moderator", "add", MODERATOR, "--password-stdin", text=password(service))
    service.start()
    try:
        yield service
    finally:
        service.stop()


def password(service: ServiceProcess) -> str:
    """Good for this one run."""
    return f"only for the run on port {service.port}"


def run(service: ServiceProcess, *arguments: str, text: str | None = None) -> None:
    """Run a command of the service's.

    Raises: SystemExit with what it said, when it fails.
    """
    done = service.run(*arguments, text=text, patience_seconds=SEEDING_SECONDS)
    if done.returncode:
        sys.exit(done.stderr)


def seed(service: ServiceProcess, folder: Path | None) -> None:
    """Let 500 comments wait."""
    if folder is None:
        folder = service.folder / "texts"
        folder.mkdir()
        write_own(folder / "own.csv")
    run(service, "seed", "--from", str(folder), "--count", str(WAITING))


def write_own(file: Path) -> None:
    """Texts of our own as a labelled file."""
    with file.open("w", encoding="utf-8", newline="") as lines:
        rows = csv.writer(lines)
        rows.writerow(("COMMENT_ID", "AUTHOR", "DATE", "CONTENT", "CLASS"))
        for number in range(WAITING + 50):
            text = OWN_TEXTS[number % len(OWN_TEXTS)]
            rows.writerow(
                (f"own{number}", f"Reader {number}", "", f"{text} ({number})", int("https" in text))
            )


def clear(service: ServiceProcess) -> list[Round]:
    """Sign in, and decide about everything."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), chromium_sandbox=False)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.add_init_script(WATCH)
        page.goto(f"http://localhost:{service.port}/queue")
        page.get_by_label("Name").fill(MODERATOR)
        page.get_by_label("Password").fill(password(service))
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/queue*")  # and until its script has run
        page.keyboard.press("j")
        rounds = [press_keys(page, service, FIRST), press_keys(page, service, WAITING)]
        browser.close()
    return rounds


def press_keys(page: Page, service: ServiceProcess, count: int) -> Round:
    """Decide about so many comments, or all there are: most approved, links to spam, some to the trash."""
    page.evaluate("window.clearing = []")
    after = last_row(service)
    started = perf_counter()
    for number in range(count):
        row = page.locator(".row:focus-within")
        if not row.count():
            break  # the last one has left
        is_linked = bool(row.locator(".comment__body a").count())
        page.keyboard.press("s" if is_linked else "d" if number % 9 == 8 else "a")
        page.evaluate(WAIT)
    seconds = perf_counter() - started
    expect(page.locator(".row[aria-busy]")).to_have_count(0, timeout=PATIENCE_MS)
    pressed = tuple(as_pressed(entry) for entry in page.evaluate("window.clearing"))
    return judged(service, pressed, seconds=seconds, after=after)


def as_pressed(entry: dict[str, Any]) -> Pressed:
    """What the page noted of one key."""
    times = [entry[name] - entry["pressed"] if name in entry else None for name in ("focused", "painted")]
    return Pressed(entry["key"], entry["id"], *times)


def judged(service: ServiceProcess, pressed: tuple[Pressed, ...], *, seconds: float, after: int) -> Round:
    """Hold the keys to what the journal says."""
    engine = create_engine(service.environment["COMMENTS_DATABASE_URL"])
    made = select(JournalRow.comment_id, JournalRow.to_status).where(
        JournalRow.action == DECIDED, JournalRow.moderator_id.is_not(None), JournalRow.id > after
    )
    with engine.connect() as connection:
        rows = connection.execute(made).all()
    engine.dispose()
    meant = {each.comment_id: TO_STATUS[each.key] for each in pressed}
    wrong = sum(meant.get(row.comment_id, row.to_status) != row.to_status for row in rows)
    return Round(pressed, seconds, Counter(row.comment_id for row in rows), wrong)


def last_row(service: ServiceProcess) -> int:
    """The journal's last row as it is now."""
    engine = create_engine(service.environment["COMMENTS_DATABASE_URL"])
    with engine.connect() as connection:
        found = connection.scalar(select(func.max(JournalRow.id)))
    engine.dispose()
    return found or 0


def table_of(rounds: Sequence[Round]) -> str:
    """The figures, a column a round."""
    lines = [
        ("", *(f"{sum(each.decided.values())} comments" for each in rounds)),
        ("---", *("---:" for _ in rounds)),
    ]
    lines += [
        ("keys", *(str(len(each.pressed)) for each in rounds)),
        ("of them `a`, `s`, `d`", *(kinds(each) for each in rounds)),
        (
            "keys per decision",
            *(f"{len(each.pressed) / max(1, sum(each.decided.values())):.2f}" for each in rounds),
        ),
        ("lost decisions", *(str(each.lost) for each in rounds)),
        ("doubled decisions", *(str(each.doubled) for each in rounds)),
        ("other than the key meant", *(str(each.wrong) for each in rounds)),
        ("key to next row focused, p50 / p95 / max", *(spread(each, "focused_ms") for each in rounds)),
        ("key to next row painted, p50 / p95 / max", *(spread(each, "painted_ms") for each in rounds)),
        ("the whole round", *(f"{each.seconds:.0f} s" for each in rounds)),
    ]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def kinds(of: Round) -> str:
    """How many of each."""
    keys = Counter(each.key for each in of.pressed)
    return ", ".join(str(keys[key]) for key in TO_STATUS)


def spread(of: Round, name: str) -> str:
    """Median, 95th percentile and the worst."""
    times = [value for each in of.pressed if (value := getattr(each, name)) is not None]
    return f"{median(times):.0f} / {quantiles(times, n=20)[-1]:.0f} / {max(times):.0f} ms"


def log_of(table: str, *, is_labelled: bool) -> str:
    """The table as a document."""
    source = "out of labelled files" if is_labelled else "of texts of its own"
    return f"""# Clearing the queue by keys

`make clear-queue` starts the service with {WAITING} waiting comments {source}, opens the queue in a real
browser and decides about every comment by one key: `a` to approve, `s` for spam where there is a link, `d`
for the trash now and then. The next key comes as soon as the next row has the focus. A row
that stands for a cluster of like comments is decided by one key as well. Afterwards the journal is asked
whether each key did what it meant, once. The second column is the rest of the queue, while the page fills up
from below again and again.

Taken on {datetime.now(UTC):%d %B %Y}; SQLite, service and browser on one machine.

{table}

A key is answered on the page at once and sent afterwards, in order: the times do not wait for the network.
"""


if __name__ == "__main__":
    sys.exit(main())
