"""Whatever the journal or the queue can say has words: no raw code shows on any page."""

from __future__ import annotations

import ast
import json
import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest

import comments_service
from comments_service.decisions.undo import UNDOABLE
from comments_service.decisions.verbs import DELETED, MARKS
from comments_service.queue.rows import REASONS
from comments_service.rules.judge import Facts, judge
from comments_service.rules.words import Texts
from comments_service.storage.journal import CAUGHT, CONFIRMED, DECIDED
from comments_service.vocabulary import InForce, Rules, Status
from comments_service.web.comment_page import TOLD_OF

PACKAGE = Path(comments_service.__file__).parent
WORDS = json.loads((PACKAGE / "locales" / "en.json").read_text(encoding="utf-8"))
# Rooms that say something else in such words: headers, findings of the check-up, names of files and errors
OTHERS = (
    "akismet",
    "bundle",
    "cli",
    "errors",
    "heard",
    "mail",
    "outbound",
    "sending",
    "serving",
    "signals",
    "texts",
    "webhook",
)
TEXTS = Texts("Ana", "example.org", "", "A casino.")


def written_actions() -> set[str]:
    """All codes below the doors that have two words or more: there, nothing else is written so."""
    found: set[str] = set()
    for file in PACKAGE.rglob("*.py"):
        room = file.relative_to(PACKAGE).parts[0]
        if room in ("web", "commands", "checkup") or "migrations" in file.parts or file.stem in OTHERS:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= set(re.findall(r"\A[a-z]+(?:-[a-z]+)+\Z", node.value))
    return found - given_codes()


def given_codes() -> set[str]:
    """The codes of all reasons that the judge gives for whatever is known of a comment, under any rules."""
    switches = (
        *("is_known", "is_trusted", "is_banned", "is_surge", "is_letter", "imitates_staff"),
        *("lacks_proof", "neighbour_away"),
    )
    rules = [
        Rules(
            hold_all=all_wait,
            hold_newcomers=newcomers,
            hold_surge=True,
            hold_words=held,
            refuse_words=refused,
        )
        for all_wait, newcomers in product((True, False), repeat=2)
        for held, refused in product(((), ("casino",)), repeat=2)
    ]
    switched_all_ways: list[dict[str, Any]] = [
        dict(zip(switches, values, strict=True)) for values in product((True, False), repeat=len(switches))
    ]
    facts = [
        Facts(links=links, spam_percent=percent, **switched)
        for switched in switched_all_ways
        for links, percent in ((0, 0), (9, 0), (0, 60), (0, 99))
    ]
    facts += [Facts(listed=("casino",)), Facts(list_refused=("casino",))]
    verdicts = [judge(InForce(one, 1), fact, TEXTS) for one in rules for fact in facts]
    return {reason.code for verdict in verdicts for reason in verdict.reasons}


def test_every_action_that_is_written_has_words_in_the_audit() -> None:
    written = written_actions()
    assert {DECIDED, DELETED, "signed-in", "rules-changed", "comments-swept", "person-erased"} <= written
    assert sorted(one for one in written if f"audit.action.{one}" not in WORDS) == []
    assert sorted(f"audit.action.{one}" for one in written if len(one) > 40) == []  # the column's width


def test_no_words_are_kept_for_an_action_that_nobody_writes() -> None:
    known = {key.removeprefix("audit.action.") for key in WORDS if key.startswith("audit.action.")}
    assert {one for one in known if not one.endswith(".many")} == written_actions()


def test_every_status_a_decision_can_lead_to_has_words() -> None:
    for status in Status:
        for key in (f"audit.came.{status}", f"audit.decided.{status}", f"audit.decided.{status}.many"):
            assert key in WORDS, key
    for outcome in (CONFIRMED, CAUGHT):
        for key in (f"audit.decided.{outcome}", f"audit.decided.{outcome}.many", f"comment.did.{outcome}"):
            assert key in WORDS, key


def test_what_is_done_to_a_comment_has_words_in_its_history_and_for_whoever_came_too_late() -> None:
    elsewhere = ("thread-", "site-", "rules-", "role-", "blocklist-")  # lines of these name no comment
    of_comments = [one for one in TOLD_OF if not one.startswith(elsewhere)]
    assert sorted(one for one in of_comments if f"comment.did.{one}" not in WORDS) == []
    changing = {one for one in UNDOABLE if one.startswith("comment-")} - {DECIDED}
    changing |= {mark.action for mark in MARKS.values()}
    assert sorted(one for one in changing if f"queue.too_late.{one}" not in WORDS) == []


@pytest.mark.parametrize("family", ["queue.reason", "queue.why"])
def test_every_reason_a_comment_can_have_has_words(family: str) -> None:
    given = given_codes()
    assert {"banned", "letter", "newcomer", "links", "surge", "trusted", "no-rule"} <= given
    assert sorted(code for code in given if f"{family}.{code}" not in WORDS) == []


def test_the_queue_can_be_narrowed_by_every_reason() -> None:
    assert given_codes() == set(REASONS)
