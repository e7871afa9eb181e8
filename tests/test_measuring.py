"""What the measuring commands count by is right; their figures themselves gate nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools.measure_lighthouse import AUDITS, CATEGORIES, read, summed
from tools.measure_peers import Peer, Visit, put_in, sizes_of, table_of
from tools.measure_reading import Figure, longest
from tools.reading_stage import TEXT_CHARACTERS, words_of

ROOT = Path(__file__).resolve().parent.parent


def test_a_figure_is_missed_above_its_limit_and_never_without_one() -> None:
    assert Figure("requests", 4, "", 3).is_missed
    assert not Figure("requests", 3, "", 3).is_missed
    assert not Figure("bytes", 40_000, "bytes").is_missed
    assert Figure("requests to anybody else", 1, "", 0).is_missed
    assert "MISSED" in str(Figure("requests to anybody else", 1, "", 0))


def test_a_long_task_counts_for_the_part_in_which_it_began() -> None:
    tasks = [[10.0, 80.0], [100.0, 60.0], [130.0, 55.0]]
    assert longest(tasks, 0, 100) == 80
    assert longest(tasks, 100, 500) == 60
    assert longest(tasks, 500, 900) == 0


def test_a_text_is_the_same_for_its_number_and_about_as_long_as_what_people_write() -> None:
    texts = [words_of(number) for number in range(50)]
    assert texts == [words_of(number) for number in range(50)]
    assert len(set(texts)) == 50
    assert all(TEXT_CHARACTERS <= len(text) < 1.4 * TEXT_CHARACTERS for text in texts)


def a_report(**scores: float) -> dict[str, object]:
    """As much of Lighthouse's report as is read: every audit is good, but for what is said."""
    audits = {
        name: {"score": scores.get(name, 1), "scoreDisplayMode": "numeric", "numericValue": 7}
        for name in AUDITS
    }
    return {
        "categories": {
            name: {"score": 1, "auditRefs": [{"id": audit, "weight": 25} for audit in AUDITS]}
            for name in CATEGORIES
        },
        "audits": audits,
    }


def test_lighthouse_blames_what_is_below_its_best_in_most_of_the_looks() -> None:
    often, once = {"total-blocking-time": 0.9}, {"total-blocking-time": 0.9, "largest-contentful-paint": 0.8}
    found = summed([read(a_report(**each)) for each in (often, once, {})])
    assert found.blamed == ["total-blocking-time"]
    assert found.scores["performance"] == 100
    assert found.audits["cumulative-layout-shift"] == 7


def test_the_table_of_peers_takes_the_place_of_the_one_before() -> None:
    document = "# Beside\n<!-- figures -->\nold\n<!-- end of figures -->\nHow\n"
    peers = [
        Peer("Ours 1", sizes_of([b"a" * 1000]), Visit(2, 0, 30, 4_000, {})),
        Peer("Other 2", sizes_of([b"b" * 2000]), Visit(4, 1, 2000, 5_000, {"link-name": 3, "label": 1})),
        Peer("Unvisited 3", sizes_of([b"c" * 3000])),
    ]
    made = put_in(document, table_of(peers))
    assert "old" not in made
    assert "| 4,000 | 2 | 0 | 0 |" in made
    assert "| 5,000 | 4 | 1 | 2 in 4 places |" in made
    assert "Other 2: link-name (3), label (1)." in made
    assert put_in(made, "new") == document.replace("old", "new")


@pytest.mark.parametrize(
    "lock", [*ROOT.glob("tools/npm/*/package-lock.json"), *ROOT.glob("requirements/*.txt")]
)
def test_no_lock_says_where_its_packages_come_from(lock: Path) -> None:
    assert not re.search(
        r'"resolved"|://\S+\.(tgz|whl|tar\.gz)|--(extra-)?index-url', lock.read_text("utf-8")
    )
