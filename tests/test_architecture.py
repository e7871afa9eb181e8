"""The house keeps its shape: imports point down, Flask stays at the doors, nothing shadows the templates."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "comments_service"

# From the top down: a module may import from rows below its own, never from its own or a higher one.
# A new module must be given its place here.
ROWS: tuple[tuple[str, ...], ...] = (
    ("__main__", "comments_service"),
    ("cli",),
    ("commands.data", "commands.keys", "commands.moderators", "commands.people", "commands.serving"),
    ("commands.seed", "commands.sites", "commands.threads"),
    ("commands.doctor", "commands.letters"),
    ("commands.blocklists", "commands.clusters", "commands.spam"),
    ("commands.installation", "wsgi"),
    ("app", "serving"),
    ("web.confirm",),
    ("web.letter_links", "web.letters"),
    ("web.fragment",),
    (
        "web.api",
        "web.own_comments",
        "web.reports",
        "web.votes",
        "web.status",
        "web.public",
        "web.embed",
        "web.queue",
        "web.invite",
        "web.people",
        "web.second_factor",
        "web.health",
        "web.assets",
    ),
    ("web.checkup", "web.neighbours", "web.own_words"),
    ("web.account", "web.blocklists", "web.rules", "web.settings", "web.thresholds"),
    ("web.audit",),
    ("web.dashboard",),
    ("web.rules_form", "web.site_pages"),
    ("web.bulk", "web.comment_page", "web.decisions"),
    ("web.outcomes", "web.own_intake", "web.ticks", "web.wishes"),
    ("web.intake", "web.json_door", "web.sessions"),
    ("web.browsers",),
    ("web.asked",),
    ("web.own_forms", "web.place", "web.queue_words", "web.turns"),
    ("web.doubts", "web.worded"),
    ("web.cors", "web.forms", "web.headers", "web.hurry"),
    ("web.problems", "web.proxies"),
    ("web.words",),
    ("web.wiring",),
    ("doctor",),
    ("notify.worker",),
    ("neighbours.teaching",),
    ("notify.letters",),
    ("journal_page",),
    ("dashboard",),
    ("dossier",),
    ("queue.page", "queue.tally"),
    ("queue.counts", "queue.rows", "queue.search", "queue.walk"),
    ("queue.around", "queue.narrowing"),
    ("queue.lines", "queue.order", "queue.scope"),
    ("queue.question",),
    (
        "backup",
        "erase",
        "export",
        "retention",
        "reveal",
        "rotate",
        "rules.rehearsal",
        "seed",
        "spam.thresholds",
    ),
    ("export_lines", "people.invitations"),
    ("people.second_factor", "people.sign_ins", "site_list"),
    ("site_words",),
    ("checkup.report",),
    ("checkup.article",),
    ("checkup.scripts",),
    ("checkup.findings",),
    ("checkup.host_page",),
    ("checkup.policy", "checkup.tags"),
    ("clusters.evaluate", "spam.evaluate"),
    ("decisions.undo",),
    ("own.changing", "reports"),
    ("own.withdrawing",),
    (
        "decisions.authors",
        "decisions.undo_edits",
        "decisions.undo_lists",
        "decisions.undo_places",
        "decisions.undo_roles",
        "decisions.undo_sites",
    ),
    ("decisions.move", "decisions.purge", "decisions.reply", "decisions.undo_comments", "people.roles"),
    (
        "blocklists.change",
        "decisions.articles",
        "decisions.decide",
        "decisions.edit",
        "decisions.likes",
        "people.accounts",
        "sites",
        "submit",
        "threads",
        "votes",
    ),
    ("decisions.edits", "decisions.reports", "judging"),
    ("decisions.revisions",),
    ("decisions.claims", "decisions.happened", "decisions.showing"),
    ("decisions.verbs",),
    ("decisions.act",),
    ("spam.suspicion",),
    ("blocklists.lines", "blocklists.looking", "blocklists.page", "blocklists.ready"),
    ("spam.history", "spam.learning"),
    ("neighbours.change",),
    ("own_texts", "rules.facts", "rules.places"),
    ("rules.change",),
    ("notify.addresses", "notify.mail", "notify.smtp"),
    ("notify.outbox",),
    ("notify.recipients",),
    ("people.codes", "people.passwords", "people.roster"),
    ("people.rows",),
    ("people.refusals",),
    ("neighbours.ask", "neighbours.lessons"),
    ("neighbours.keeping",),
    ("neighbours.akismet", "neighbours.webhook"),
    ("neighbours.doors",),
    ("outbound",),
    ("snapshot.counts", "snapshot.own", "snapshot.published", "snapshot.thread", "snapshot.waits"),
    ("snapshot.views",),
    ("snapshot.replies",),
    ("snapshot.roots",),
    ("snapshot.question",),
    (
        "decisions.standing",
        "guesses",
        "hurry",
        "rights",
        "rules.staff",
        "rules.surge",
        "throttle",
        "unlock",
    ),
    ("clusters.joining",),
    ("storage.removal", "storage.schema", "storage.shown", "storage.sites", "storage.threads"),
    ("storage.migrations.env",),
    ("storage.database", "storage.scrub"),
    ("storage.neighbours", "storage.roots", "storage.rules", "storage.search", "storage.trails"),
    (
        "storage.blocklists",
        "storage.decisions",
        "storage.journal",
        "storage.models",
        "storage.outbox",
        "storage.people",
        "storage.reports",
        "storage.spam",
        "storage.votes",
    ),
    ("storage.clusters",),
    ("storage.base",),
    ("proof",),
    ("bundle", "cells", "faces", "logs", "rules.judge", "texts", "tokens", "words"),
    ("neighbours.heard",),
    ("spam.judge",),
    ("spam.reasons", "spam.signals", "spam.start", "spam.teaching"),
    ("blocklists.entries", "blocklists.matching", "spam.evidence"),
    ("blocklists.domains", "blocklists.folding", "spam.model"),
    ("spam.features",),
    ("rules.words", "signed_names", "spam.links"),
    ("article_url", "decisions.diff", "labelled", "markup", "privacy"),
    ("clusters.fingerprint", "lookalikes"),
    ("limiter",),
    ("settings",),
    ("errors", "storage.files"),
    ("neighbours.question",),
    ("opinions", "vocabulary"),
    ("options", "sending"),
    ("neighbours.circuit",),
)
KNOWS_FLASK = ("app", "cli", "wsgi", "web.", "storage.database")
FLASK = ("flask", "flask_sqlalchemy", "flask_wtf", "werkzeug", "wtforms")
MIGRATIONS = PACKAGE / "storage" / "migrations" / "versions"


def modules() -> dict[str, Path]:
    """Every module that has something in it, by its name below the package."""
    files = (file for file in PACKAGE.rglob("*.py") if MIGRATIONS not in file.parents)
    return {name_of(file): file for file in files if file.read_text(encoding="utf-8").strip()}


def name_of(file: Path) -> str:
    """`web.api` for comments_service/web/api.py; the face is `comments_service`."""
    parts = file.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__") or "comments_service"


def imports_of(file: Path) -> Iterator[str]:
    """The full names that a module imports, wherever in it the line stands."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: a relative import hides where it points"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own_imports_of(file: Path) -> set[str]:
    """The modules of ours that a module imports."""
    known = modules()
    found = set()
    for full in imports_of(file):
        name = full.removeprefix("comments_service.")
        if name in known:
            found.add(name)
        elif full.startswith("comments_service."):
            stem = name.rpartition(".")[0]
            found.add(stem if stem in known else "comments_service")
    return found


def row_of(name: str) -> int:
    """The number of a module's row, counted from the top."""
    numbers = [number for number, row in enumerate(ROWS) if name in row]
    assert numbers, f"{name} has no place in ROWS"
    return numbers[0]


def test_every_module_has_exactly_one_place_in_the_picture() -> None:
    placed = [name for row in ROWS for name in row]
    assert sorted(placed) == sorted(modules())


@pytest.mark.parametrize("name", sorted(modules()))
def test_imports_point_down_only(name: str) -> None:
    upward = {other for other in own_imports_of(modules()[name]) if row_of(other) <= row_of(name)}
    assert not upward, f"{name} imports {upward}, which is beside or above it"


@pytest.mark.parametrize("name", sorted(modules()))
def test_no_import_hides_in_a_function_or_a_string(name: str) -> None:
    tree = ast.parse(modules()[name].read_text(encoding="utf-8"))
    functions = [
        n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    ]
    hidden = [n for f in functions for n in ast.walk(f) if isinstance(n, ast.Import | ast.ImportFrom)]
    called = {ast.unparse(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    assert not hidden
    assert not called & {"__import__", "import_module", "importlib.import_module"}


@pytest.mark.parametrize("name", sorted(modules()))
def test_flask_is_known_at_the_doors_only(name: str) -> None:
    used = {full for full in imports_of(modules()[name]) if full.split(".")[0] in FLASK}
    assert not used or name.startswith(KNOWS_FLASK)


def test_migrations_know_nothing_of_the_code_that_will_change_after_them() -> None:
    ours = {name for file in MIGRATIONS.glob("*.py") for name in imports_of(file)}
    assert not {name for name in ours if name.startswith("comments_service")}


def test_every_init_but_the_face_is_empty() -> None:
    inits = set(PACKAGE.rglob("__init__.py")) - {PACKAGE / "__init__.py"}
    assert inits
    assert not [file for file in inits if file.read_text(encoding="utf-8").strip()]


def test_nothing_shadows_the_templates_of_the_top_level() -> None:
    assert (ROOT / "templates").is_dir()
    assert not (PACKAGE / "templates").exists()


def test_no_module_is_too_long_to_be_read_at_a_sitting() -> None:
    lengths = {name: len(file.read_text(encoding="utf-8").splitlines()) for name, file in modules().items()}
    assert not {name: length for name, length in lengths.items() if length > 400}
