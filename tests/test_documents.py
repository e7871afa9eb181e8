"""What the documents point at is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from comments_service.bundle import STATIC
from comments_service.sites import owner_lines
from tools.pictures import MAX_BYTES

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^)#]+)[^)]*\)|(?:src|srcset|href)=\"([^\"]+)\"")
PARTS = re.compile(r'class: "([\w -]+)"')
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_link_within_the_project_leads_to_a_file(document: Path) -> None:
    links = [one or other for one, other in LINK.findall(document.read_text(encoding="utf-8"))]
    within = [link for link in links if "://" not in link]
    assert [link for link in within if not (document.parent / link).exists()] == []


def test_the_readme_gives_the_same_two_lines_as_the_command() -> None:
    from_command = owner_lines("demo", public_url="https://comments.example")
    assert from_command in README


@pytest.mark.parametrize(
    "name",
    [
        *(
            "host",
            "widget",
            "long",
            "empty",
            "wrong",
            "talk",
            "reply",
            "news",
            "classic",
            "arabic",
            "no-answer",
        ),
        *("queue", "login", "rules", "rehearsal", "dashboard", "audit", "check-up"),
    ],
)
@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_picture_is_there_and_small_enough(name: str, width: int, scheme: str) -> None:
    picture = ROOT / "docs" / "screenshots" / f"{name}-{width}-{scheme}.png"
    assert 0 < picture.stat().st_size < MAX_BYTES


def test_the_owners_docs_name_every_part_and_every_property() -> None:
    scripts = [file for file in STATIC.glob("*.js") if not file.stem.startswith(("queue", "copy", "classic"))]
    sources = [file.read_text("utf-8") for file in scripts]
    parts = {part for source in sources for names in PARTS.findall(source) for part in names.split()}
    styles = [file.read_text("utf-8") for file in STATIC.glob("*.css")]
    used = {name for style in styles for name in re.findall(r"var\((--comments-[\w-]+)", style)}
    text = (ROOT / "docs" / "theming.md").read_text("utf-8")
    named = {word for code in re.findall(r"`([^`\n]+)`", text) for word in code.split()}
    assert {part for part in parts if not part.endswith("--")} - named == set()
    assert used == {name for name in named if name.startswith("--comments-")}
