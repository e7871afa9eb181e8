"""Measure how long the worst texts take to render: at the largest size, at half of it, and the ratio.

    python -m tools.measure_markup

Ends with 1 where a text takes a second or longer, or more than three times as long as its half.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from time import process_time

from comments_service.markup import render
from comments_service.vocabulary import MAX_TEXT_BYTES

MAX_SECONDS = 1.0
MAX_RATIO = 3.0
ROUNDS = 3  # the best of some rounds: other programs only ever make a round slower

REPEATED = (
    *("[", "]", "*", ">", "&", "_", "`", "<", "\\", "~", "!", "(", ")", "#", "-", "=", "|", "\t", "\n", " "),
    *("x", "é", "😀", "x ", "\u0301", "\x00", "\r", "\ud7ff"),
    *(
        "![",
        "](",
        "[]",
        "[](",
        "[a](",
        "[[",
        "]]",
        "((",
        "))",
        "()",
        "[![",
        "[a](<",
        '[a](b "',
        "[a](b)",
        "![a](b)",
    ),
    *("<a", "</", '<a x="', "<b>", "</b>", "<!--", "<?", "<![CDATA[", "<script>", "<div>\n\n", "<a@b.org>"),
    *(
        "& ",
        '"&',
        "'",
        "&#x",
        "&a",
        "&amp;",
        "&lt",
        "*a_ ",
        "*a **b ",
        "**a *b_ __c ",
        "*_",
        "***",
        "_a",
        "*a*",
        "__a__",
        "_a*b",
    ),
    *(
        "***a*** ",
        "a**b",
        "``a`b",
        "~~a ~b ",
        "~a~~b~~~",
        "```\n",
        "~~~\n",
        "***\n",
        "a\\\n",
        "a  \n",
        "a\n=\n",
    ),
    *(
        "> ",
        "> - ",
        "- > ",
        "- ",
        "+ ",
        "* ",
        "1. ",
        "1) ",
        "- a\n",
        "> a\n\n",
        "- a\n\n  b\n",
        "| a ",
        "|a|b|\n",
    ),
    *("[a]: b\n", "[a]:", "[a]: <", "[a]\n", "[a][a]", "[a]: http://example.org\n\n[a] "),
    *("http://", "https://a", "http://a ", "http://a.", "http://a)", "(http://a", "<http://", "<http://a.b>"),
    *("a@", "<a@", "mailto:", "www.", "hhttp", "http://a*b_c "),
)


@dataclass(frozen=True)
class Measurement:
    """Seconds of processor time for the whole size and for half of it."""

    seconds: float
    half_seconds: float

    @property
    def ratio(self) -> float:
        """How many times longer the whole takes; 2 is linear."""
        return self.seconds / self.half_seconds

    @property
    def is_harmless(self) -> bool:
        """Tell whether the text keeps to both bounds."""
        return self.seconds < MAX_SECONDS and self.ratio <= MAX_RATIO


def _nested_list(size: int) -> str:
    deep = int(size**0.5)
    return "".join(f"{'  ' * level}- a\n" for level in range(deep))


def _steps_of_nested_lists(size: int) -> str:
    return "".join(f"{'  ' * (line % 25)}- a\n" for line in range(size // 28))


SHAPED: dict[str, Callable[[int], str]] = {
    "nested list": _nested_list,
    "nested lists, 25 deep": _steps_of_nested_lists,
    "nested list, then lazy lines": lambda size: _nested_list(size // 2) + "b\n" * (size // 4),
    "deep quote, then lazy lines": lambda size: ">" * (size // 2) + "a\n" + "b\n" * (size // 4),
    "deep list, then lazy lines": lambda size: "+ " * (size // 4) + "a\n" + "b\n" * (size // 4),
    "deep numbers, then lazy lines": lambda size: "1. " * (size // 6) + "a\n" + "b\n" * (size // 4),
    "quotes 60 deep": lambda size: (">" * 60 + "a\n\n") * (size // 63),
    "quotes 40 deep": lambda size: (">" * 40 + "a\n\n") * (size // 43),
    "lists 20 deep": lambda size: ("+ " * 20 + "a\n\nb\n\n") * (size // 46),
    "quote, line by line deeper": lambda size: "".join(
        ">" * line + "a\n" for line in range(int((2 * size) ** 0.5))
    ),
    "backticks in growing runs": lambda size: "a".join("`" * run for run in range(1, int((2 * size) ** 0.5))),
    "fences in growing runs": lambda size: "".join(
        "`" * (3 + line % 200) + "\n" for line in range(size // 100)
    ),
    "table rows": lambda size: "a|b\n-|-\n" + "1|2\n" * (size // 4),
    "table of many columns": lambda size: "a|" * (size // 4) + "\n" + "-|" * (size // 4),
    "one definition, used often": lambda size: (
        f"[a]: http://example.org/{'x' * (size // 2)}\n\n" + "[a] " * (size // 8)
    ),
    "many definitions": lambda size: "".join(f"[a{number}]: b\n" for number in range(size // 9)),
    "many definitions, used": lambda size: "".join(
        f"[{number}]: b\n\n[{number}]\n\n" for number in range(size // 20)
    ),
    "long labels": lambda size: f"[{'a' * 998}]" * (size // 1000),
    "brackets opened, then closed": lambda size: "[" * (size // 2) + "a" + "]" * (size // 2),
    "links opened, then closed": lambda size: "[a](b" * (size // 10) + ")" * (size // 2),
    "parentheses in a link": lambda size: "[a](" + "(" * (size // 2) + ")" * (size // 2),
    "emphasis opened, then closed": lambda size: "*a " * (size // 6) + "b* " * (size // 6),
    "emphasis mixed, then closed": lambda size: "*a _b ~~c " * (size // 20) + "d* e_ f~~ " * (size // 20),
    "one long address": lambda size: "http://example.org/" + "a" * size,
    "address with closing brackets": lambda size: "http://example.org/" + ")" * size,
    "address with brackets in pairs": lambda size: (
        "http://example.org/" + "(" * (size // 2) + ")" * (size // 2)
    ),
    "address with full stops": lambda size: "http://example.org/" + "." * size,
    "address of addresses": lambda size: "http://a/" * (size // 9),
}


def text_of(pattern: str, size: int) -> str:
    """Make a text of the pattern that fills `size` bytes (to the last whole character)."""
    shape = SHAPED.get(pattern)
    text = shape(size) if shape else pattern * (size // len(pattern.encode()) + 1)
    return text.encode()[:size].decode(errors="ignore")


def measure(pattern: str) -> Measurement:
    """Render the pattern at the largest size and at half of it."""
    return Measurement(
        _best_seconds(text_of(pattern, MAX_TEXT_BYTES)), _best_seconds(text_of(pattern, MAX_TEXT_BYTES // 2))
    )


def _best_seconds(text: str) -> float:
    return min(_seconds(text) for _ in range(ROUNDS))


def _seconds(text: str) -> float:
    began = process_time()
    render(text)
    return process_time() - began


def main() -> int:
    """Print one line a pattern, the slowest last."""
    found = sorted(
        ((measure(pattern), pattern) for pattern in (*REPEATED, *SHAPED)), key=lambda pair: pair[0].seconds
    )
    print(f"{MAX_TEXT_BYTES:,} bytes   half of it   ratio   pattern")
    for measured, pattern in found:
        times = (
            f"{measured.seconds * 1000:9.1f} ms {measured.half_seconds * 1000:9.1f} ms {measured.ratio:7.1f}"
        )
        name = pattern if pattern in SHAPED else ascii(pattern)
        print(f"{times}   {name}{'' if measured.is_harmless else '   TOO SLOW'}")
    return 0 if all(measured.is_harmless for measured, _ in found) else 1


if __name__ == "__main__":
    sys.exit(main())
