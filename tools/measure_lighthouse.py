"""Let Lighthouse look at an article without comments and with a hundred, on a desktop and on a telephone.

    python -m tools.measure_lighthouse [--runs 3]

Everything is on this machine: the service in a process of its own, the article on another site. The pages are
taken in turn, so that whatever else the machine does weighs on all of them alike; each figure is a median.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

import playwright

from tools.host_pages import owner_tag
from tools.reading_stage import SILENT, Stage, browser_program, reading_stage
from tools.service_process import SITE

ROOT = Path(__file__).resolve().parent.parent
LIGHTHOUSE = Path(sys.prefix) / "npm" / "lighthouse" / "node_modules" / "lighthouse" / "cli" / "index.js"
NODE = Path(playwright.__file__).parent / "driver" / "node"  # where there is a browser, there is this one
CATEGORIES = ("performance", "accessibility", "best-practices")
AUDITS = ("cumulative-layout-shift", "total-blocking-time", "largest-contentful-paint")
PRESETS: Mapping[str, tuple[str, ...]] = {"desktop": ("--preset=desktop",), "mobile": ()}
USUAL_PAGE, COMMENTS = 20, 100
ROOM = "#comments { min-height: 100vh }"  # as docs/embedding.md tells owners of short pages
LONG, SHORT = 14, 2  # paragraphs: with more of them the comments begin below the first screen, or on it


@dataclass(frozen=True)
class Look:
    """What Lighthouse found once: scores to 100, shifts, milliseconds, and what kept a score from 100."""

    scores: Mapping[str, float]
    audits: Mapping[str, float]
    blamed: frozenset[str]


@dataclass(frozen=True)
class Summary:
    """The medians of several looks at one page; `blamed` is what was found in most of them."""

    scores: Mapping[str, float]
    audits: Mapping[str, float]
    blamed: Sequence[str]


def main() -> int:
    """Print a table for each preset; always 0, for machines differ."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    with reading_stage(page_size=USUAL_PAGE) as stage:
        pages = add_pages(stage)
        for preset, options in PRESETS.items():
            looks: dict[str, list[Look]] = {name: [] for name in pages}
            for _ in range(runs):
                for name, address in pages.items():
                    looks[name].append(read(run(address, options)))
            show(preset, {name: summed(each) for name, each in looks.items()})
    return 0


def add_pages(stage: Stage) -> dict[str, str]:
    """The article without and with the owner's line; and a short one, as it is, with room, with HTML."""
    stage.pages.add_styles(lines_for_fragments() + ROOM)
    short_with_html = stage.add_article("/html", COMMENTS, paragraphs=SHORT)
    address = f"{stage.service_url}/sites/{SITE}/fragment?url={quote(short_with_html, safe='')}"
    with urlopen(address) as answer:
        fragment = answer.read().decode()
    tag = owner_tag(stage.service_url, site=SITE)
    stage.pages.add("/html", fragment + tag, paragraphs=SHORT)
    return {
        "without": stage.pages.add("/without", paragraphs=LONG),
        "with": stage.add_article("/with", COMMENTS, paragraphs=LONG),
        "short, with": stage.add_article("/short", COMMENTS, paragraphs=SHORT),
        "short, room kept": stage.add_article("/room", COMMENTS, paragraphs=SHORT, target="comments"),
        "short, in its HTML too": short_with_html,
    }


def lines_for_fragments() -> str:
    """The styles that owners are told to copy for a fragment."""
    text = (ROOT / "docs" / "static-sites.md").read_text("utf-8")
    return text.partition("```css\n")[2].partition("```")[0]


def run(address: str, options: Sequence[str]) -> dict[str, Any]:
    """Lighthouse's whole report about one page."""
    flags = " ".join(["--headless=new", "--no-sandbox", *SILENT])
    command = [
        str(NODE),
        str(LIGHTHOUSE),
        address,
        "--output=json",
        "--quiet",
        f"--chrome-flags={flags}",
        *options,
    ]
    done = subprocess.run(
        [*command, f"--only-categories={','.join(CATEGORIES)}", "--no-enable-error-reporting"],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | {"CHROME_PATH": browser_program()},
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def read(report: Mapping[str, Any]) -> Look:
    """What is wanted of a report."""
    audits, blamed = report["audits"], set()
    for category in report["categories"].values():
        weighed = (each["id"] for each in category["auditRefs"] if each["weight"])
        blamed |= {name for name in weighed if (audits[name]["score"] or 0) < 1 and is_judged(audits[name])}
    return Look(
        {name: report["categories"][name]["score"] * 100 for name in CATEGORIES},
        {name: audits[name]["numericValue"] for name in AUDITS},
        frozenset(blamed),
    )


def is_judged(audit: Mapping[str, Any]) -> bool:
    """Whether an audit says good or bad, and not that it has nothing to look at."""
    return audit["scoreDisplayMode"] in ("binary", "numeric", "metricSavings", "error")


def summed(looks: Sequence[Look]) -> Summary:
    """The medians, and what was blamed in more than half of the looks."""
    found = {name for look in looks for name in look.blamed}
    return Summary(
        {name: median(look.scores[name] for look in looks) for name in CATEGORIES},
        {name: median(look.audits[name] for look in looks) for name in AUDITS},
        sorted(name for name in found if sum(name in look.blamed for look in looks) > len(looks) / 2),
    )


def show(preset: str, found: Mapping[str, Summary]) -> None:
    """Print one preset's table, a column a page."""
    print(f"\n{preset:<28}" + "".join(f"{name:>24}" for name in found))
    for name in CATEGORIES:
        print(f"{name:<28}" + "".join(f"{each.scores[name]:>24.0f}" for each in found.values()))
    for name in AUDITS:
        places = 3 if name == "cumulative-layout-shift" else 0
        print(f"{name:<28}" + "".join(f"{each.audits[name]:>24.{places}f}" for each in found.values()))
    for name, each in found.items():
        if each.blamed:
            print(f"below 100 {name}: {', '.join(each.blamed)}")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
