"""Joins the widget's ES modules and styles into the one file a reader gets. Pure: paths in, bytes out.

The modules stay as they are for whoever edits them: the service joins them once, in the order below. Import
lines and the word `export` are dropped, one function closes around the rest. `make bundles` keeps each joined
script in its smallest form under static/made; that is served as long as it was made of these very modules.
After an edit the script is made at once, only not as small: nobody has to build anything to try a change.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from string import ascii_lowercase

import brotli
from rjsmin import jsmin

PACKAGE = Path(__file__).parent
STATIC = PACKAGE / "static"
DIGESTS = "digests.json"  # in static/made: by bundle, which joined script the file there was made of
STYLES = ("tokens.css", "comment.css")
RELEASED_SUFFIXES = {".py", ".js", ".css", ".json", ".html"}
GENERATED = "generated"  # what modules import as ./generated.js: the constants made below

# Each module stands after those it imports; the last one is the entry and does the work. Where that leaves a
# choice, embed.js has the order that packs best.
COUNT_MODULES = ("dom", "own-tag", "api", "explain", "counts", "count")
EMBED_MODULES = (
    "dom",
    "safe-html",
    "page",
    "speech",
    "steady",
    "trouble",
    "own-tag",
    "api",
    "explain",
    "sender",
    "counts",
    "fields",
    "face",
    "comment",
    "comment-list",
    "comment-form",
    "own-comments",
    "taking-part",
    "news",
    "thread-pages",
    "fragment",
    "keeping",
    "pointing",
    "thread-view",
    "comment-thread",
    "embed",
)


@dataclass(frozen=True)
class Later:
    """What embed.js imports when it is needed: of which modules and styles, and the one name it gives."""

    modules: tuple[str, ...]
    gives: str
    styles: tuple[str, ...] = ()


# By the name of the script; embed.js finds the address as a constant: WRITE for `write`
LATER = {
    # when a reader turns to a form; the only door for HTML stays the widget's
    "write": Later(
        ("dom", "dress", "write-marks", "write-toolbar", "write-preview", "write"), "equip", ("write.css",)
    ),
    # where readers vote, or to one who reports a comment
    "part": Later(("dom", "dress", "part-votes", "part-report", "part"), "Part", ("part.css",)),
    # to a reader who has comments of their own here
    "mine": Later(("dom", "mine-door", "mine-ends", "mine-tools", "mine"), "Mine"),
    # to a reader who stays for a minute
    "fresh": Later(("dom", "dress", "steady", "fresh-rhythm", "fresh"), "watch", ("fresh.css",)),
    # where the owner's own styles dress the thread
    "classic": Later(("dom", "classic"), "dress", ("bare.css",)),
    # when the service asks for work before a comment
    "proof": Later(("proof",), "prove"),
    # when there is something to say to the owner of a page
    "why": Later(("why",), "explain"),
}

# What moderators' browsers load; the widget's `speech` speaks there too
QUEUE_MODULES = (
    "dom",
    "speech",
    "queue-door",
    "queue-line",
    "queue-rows",
    "queue-notice",
    "queue-refill",
    "queue-ticks",
    "queue-forms",
    "queue-told",
    "queue-desk",
    "queue-writer",
    "queue-claims",
    "queue-inline",
    "queue-sheet",
    "queue-keys",
    "queue",
)

_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w-]+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=async |class |const |function)", re.MULTILINE)
_TOP_LEVEL_NAME = re.compile(r"^(?:async )?(?:class|const|let|function\*?) (\w+)", re.MULTILINE)
# Where a private member is made, at the beginning of a line, and where it is used
_PRIVATE = re.compile(r"(\.|^\s+(?:(?:static|async|get|set) )*)#([A-Za-z]\w*)\b", re.MULTILINE)
_CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_CSS_STRING = re.compile(r'("[^"]*")')


class BundleRefused(ValueError):
    """The modules cannot stand in one scope: a name made twice, an import nobody provides."""


@dataclass(frozen=True)
class Bundle:
    """One script, ready to be served; `hash` names its content. `joined` is what it was made of."""

    content: bytes
    joined: str = ""

    @cached_property
    def hash(self) -> str:
        """Enough of the digest to name this content among all we ever serve."""
        return hashlib.sha256(self.content).hexdigest()[:16]

    @cached_property
    def integrity(self) -> str:
        """The value of a script tag's `integrity` attribute (Subresource Integrity)."""
        return "sha384-" + base64.b64encode(hashlib.sha384(self.content).digest()).decode()

    @cached_property
    def brotli(self) -> bytes:
        """The content for those who take `br`."""
        return bytes(brotli.compress(self.content, mode=brotli.MODE_TEXT, quality=11))

    @cached_property
    def gzip(self) -> bytes:
        """The content for those who take `gzip`; no time stamp, so the bytes are always the same."""
        return gzip.compress(self.content, compresslevel=9, mtime=0)


def embed(boot_texts: Mapping[str, object], static: Path = STATIC) -> Bundle:
    """The whole of embed.js. `boot_texts`: by language, the words needed before the service has answered."""
    constants = {
        "STYLES": _styles(STYLES, static),
        "BOOT_TEXTS": boot_texts,
        **{name.upper(): _address(name, static) for name in LATER},
    }
    return join(EMBED_MODULES, constants, static, name="embed")


def later(name: str, static: Path = STATIC) -> Bundle:
    """One of `LATER` as a module; its styles are a constant: WRITE_STYLES for `write`."""
    wanted = LATER[name]
    constants = {f"{name.upper()}_STYLES": _styles(wanted.styles, static)} if wanted.styles else {}
    return join(wanted.modules, constants, static, gives=wanted.gives, name=name)


def _address(name: str, static: Path) -> str:
    return f"{name}.{later(name, static).hash}.js"


def count(static: Path = STATIC) -> Bundle:
    """The whole of count.js."""
    return join(COUNT_MODULES, {"WHY": _address("why", static)}, static, name="count")


def queue(static: Path = STATIC) -> Bundle:
    """The whole of queue.js."""
    return join(QUEUE_MODULES, {}, static, name="queue")


@cache
def release() -> str:
    """The name of the release that runs; its files are read once."""
    return build_id()


def build_id(package: Path = PACKAGE) -> str:
    """Names this release by the content of all its files: a new release, and every answer is a new one."""
    digest = hashlib.sha256()
    for file in sorted(package.rglob("*")):
        if file.suffix in RELEASED_SUFFIXES:
            digest.update(file.relative_to(package).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _styles(names: Iterable[str], static: Path) -> str:
    return "".join(minify_css((static / name).read_text("utf-8")) for name in names)


def join(
    modules: tuple[str, ...],
    constants: Mapping[str, object],
    static: Path = STATIC,
    *,
    gives: str = "",
    name: str = "",
) -> Bundle:
    """Modules in this order and constants as one script, or as a module that `gives` one name.

    `name`: under which its smallest form is kept, if it is.

    Raises: BundleRefused where they do not fit together.
    """
    sources = {name: (static / f"{name}.js").read_text("utf-8") for name in modules}
    _check_imports(sources)
    parts = [f"const {name} = {_literal(value)};" for name, value in constants.items()]
    parts += [_EXPORT.sub("", _IMPORT.sub("", source)) for source in sources.values()]
    joined = "\n".join(parts)
    _check_names(joined)
    joined = _shorten_private(joined)
    joined = (
        f"{joined}\nexport {{ {gives} }};\n" if gives else f'(() => {{\n"use strict";\n{joined}\n}})();\n'
    )
    return Bundle(_made(name, joined, static) or str(jsmin(joined)).encode(), joined)


def _made(name: str, joined: str, static: Path) -> bytes | None:
    """The smallest form of a script, if it has been made of this very one."""
    digests = static / "made" / DIGESTS
    if not digests.is_file() or json.loads(digests.read_text()).get(name) != digest(joined):
        return None
    return (static / "made" / f"{name}.js").read_bytes()


def digest(joined: str) -> str:
    """Names a joined script."""
    return hashlib.sha256(joined.encode()).hexdigest()


def minify_css(source: str) -> str:
    """The same rules without comments and needless blanks; strings and the blanks inside calc() stay."""
    pieces = _CSS_STRING.split(_CSS_COMMENT.sub("", source))
    return "".join(piece if piece.startswith('"') else _tighten(piece) for piece in pieces).strip()


def _tighten(css: str) -> str:
    css = re.sub(r"\s+", " ", css)
    css = re.sub(r" ?([{};,>]) ?", r"\1", css)
    css = re.sub(r"(?<![\w.])0(?=\.\d)", "", css)
    return re.sub(r"(?<=[\w-]): ", ":", css).replace(";}", "}")


def _literal(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _shorten_private(joined: str) -> str:
    """The same with short names for private members (`#speech`): nothing outside a class can know them."""
    counts = Counter(name for _, name in _PRIVATE.findall(joined))
    short = {name: _short(place) for place, (name, _) in enumerate(counts.most_common())}
    return _PRIVATE.sub(lambda found: f"{found[1]}#{short[found[2]]}", joined)


def _short(place: int) -> str:
    letters = ""
    while place >= 0:
        letters = ascii_lowercase[place % 26] + letters
        place = place // 26 - 1
    return letters


def _check_imports(sources: Mapping[str, str]) -> None:
    seen = {GENERATED}
    for name, source in sources.items():
        missing = set(_IMPORT.findall(source)) - seen
        if missing or len(re.findall(r"^import\b", source, re.MULTILINE)) != len(_IMPORT.findall(source)):
            raise BundleRefused(f"{name}.js imports what does not stand before it: {sorted(missing)}")
        seen.add(name)


def _check_names(joined: str) -> None:
    names = _TOP_LEVEL_NAME.findall(joined)
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise BundleRefused(f"names made twice: {sorted(twice)}")
