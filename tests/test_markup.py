"""Whatever is typed comes out as the few harmless tags we allow, quickly, and never as an error."""

from __future__ import annotations

from html.parser import HTMLParser

import nh3
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from comments_service.markup import MAX_DEPTH, excerpt, plain, render
from comments_service.vocabulary import MAX_TEXT_BYTES
from tools.measure_markup import REPEATED, SHAPED, measure, text_of

ALLOWED = {
    **dict.fromkeys(
        ("p", "br", "em", "strong", "del", "code", "pre", "blockquote", "ul", "li"), frozenset[str]()
    ),
    "a": frozenset({"href", "rel"}),
    "ol": frozenset({"start"}),
}
VOID = {"br"}
ANY_TEXT = st.text(st.characters(exclude_categories=()))
PIECES = (
    *(
        "[",
        "]",
        "(",
        ")",
        "<",
        ">",
        "*",
        "**",
        "_",
        "~~",
        "`",
        "```",
        "\n",
        "\n\n",
        " ",
        "    ",
        "\t",
        "\r",
        "\\",
        "!",
    ),
    *(
        "- ",
        "1. ",
        "0) ",
        "> ",
        "# ",
        "=",
        "---",
        "|",
        "&",
        "&lt;",
        "&#0;",
        "&#x3c;",
        '"',
        "'",
        "a",
        "é",
        "😀",
        "\x00",
    ),
    *(
        "http://a.example",
        "HTTPS://b.example/?x=<y>",
        "mailto:a@b.example",
        "javascript:x",
        "data:,x",
        "[x]: y",
        "[x]",
    ),
    *(
        "<a href='x' onclick=y>",
        "<script>",
        "</script>",
        "<style>",
        "<svg/onload=x>",
        "<img src=x onerror=y>",
        "<!--",
    ),
    *(
        "-->",
        "<![CDATA[",
        "]]>",
        "<?php",
        "<textarea>",
        "<plaintext>",
        "</p>",
        "</blockquote>",
        "<math>",
        "<template>",
    ),
    *(
        "\u2028",
        "\u202e",
        "\ud800",
        "<http://c.example>",
        "<d@e.example>",
        "[x](javascript:y)",
        "![x](http://f.example)",
    ),
)
SOUP = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


class Reader(HTMLParser):
    """Reads HTML as another program would, and holds it to the list of what is allowed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.text = ""
        self.open: list[str] = []
        self.deepest = 0
        self.feed(html)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in ALLOWED
        assert {name for name, _ in attrs} <= ALLOWED[tag]
        values = dict(attrs)
        if tag == "a":
            assert values["rel"] == "nofollow ugc noopener"
            address = values.get("href")  # the sanitiser takes away one that no browser could follow
            assert address is None or address.lower().startswith(("http://", "https://", "mailto:"))
            self.links += [address] if address else []
        if tag not in VOID:
            self.open.append(tag)
            self.deepest = max(self.deepest, len(self.open))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)

    def handle_pi(self, data: str) -> None:
        raise AssertionError(data)

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(data)


def read(text: str) -> Reader:
    return Reader(render(text))


@settings(deadline=None, max_examples=300)
@given(ANY_TEXT | SOUP)
@example("<" * 100)
@example("*" * 61 + "a" + "*" * 61)
def test_any_text_becomes_allowed_and_well_formed_html(text: str) -> None:
    assert read(text).deepest <= MAX_DEPTH + 2


@settings(deadline=None)
@given(ANY_TEXT | SOUP)
def test_what_is_rendered_means_the_same_to_a_parser_that_reads_it_again(text: str) -> None:
    html = render(text)
    again = nh3.clean(
        html,
        tags=set(ALLOWED),
        attributes={"a": {"href"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow ugc noopener",
    )
    assert again == html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("", ""),
        ("one", "<p>one</p>"),
        ("one\n\ntwo", "<p>one</p>\n<p>two</p>"),
        ("one\ntwo", "<p>one<br>\ntwo</p>"),
        ("one\r\ntwo\rthree", "<p>one<br>\ntwo<br>\nthree</p>"),
        ("*a* _b_ **c** __d__", "<p><em>a</em> <em>b</em> <strong>c</strong> <strong>d</strong></p>"),
        ("~~gone~~", "<p><del>gone</del></p>"),
        ("snake_case_name 2*3*4", "<p>snake_case_name 2<em>3</em>4</p>"),
        ("`a < b && c`", "<p><code>a &lt; b &amp;&amp; c</code></p>"),
        ("```js\nif (a < b) *x*\n```", "<pre><code>if (a &lt; b) *x*\n</code></pre>"),
        ("> said\n> so", "<blockquote>\n<p>said<br>\nso</p>\n</blockquote>"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("1. a\n2. b", "<ol>\n<li>a</li>\n<li>b</li>\n</ol>"),
        ("3. a", '<ol start="3">\n<li>a</li>\n</ol>'),
        ("# Big\n\nalso\n====", "<p><strong>Big</strong></p>\n<p><strong>also</strong></p>"),
        ("a\n\n---\n\nb", "<p>a</p>\n<p>* * *</p>\n<p>b</p>"),
        ("a|b\n-|-\n1|2", "<p>a|b<br>\n-|-<br>\n1|2</p>"),
        ("![a *cat*](http://x.example/c.png)", "<p>a <em>cat</em></p>"),
        ("![](http://x.example/c.png)", "<p>http://x.example/c.png</p>"),
        ("I <3 you & you", "<p>I &lt;3 you &amp; you</p>"),
        ("- [ ] task", "<ul>\n<li>[ ] task</li>\n</ul>"),
        ("H~2~O ^up^ $x$ ::: ==mark==", "<p>H~2~O ^up^ $x$ ::: ==mark==</p>"),
    ],
)
def test_markdown_becomes(text: str, html: str) -> None:
    assert render(text) == html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "a <b onclick=x>bold</b> b",
        "<!-- hidden -->",
        "<div>\nin a block\n</div>",
        "<?php x ?>",
        "<![CDATA[x]]>",
        "<img src=x onerror=alert(1)>",
        "<a href='http://x.example'",
        "</p></blockquote><svg/onload=x>",
        "<textarea><style><plaintext>",
    ],
)
def test_raw_html_shows_as_the_text_it_is(text: str) -> None:
    assert read(text).text == text


def test_entities_mean_their_characters_and_never_tags() -> None:
    found = read("&lt;script&gt; &#60;b&#62; &copy;")
    assert found.text == "<script> <b> ©"


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("[a](http://x.example/)", "http://x.example/"),
        ("[a](HTTPS://x.example/)", "HTTPS://x.example/"),
        ("[a](mailto:ana@example.org)", "mailto:ana@example.org"),
        ("<http://x.example/>", "http://x.example/"),
        ("<ana@example.org>", "mailto:ana@example.org"),
        ("[a][1]\n\n[1]: http://x.example/", "http://x.example/"),
        ("[![alt](y)](http://x.example/)", "http://x.example/"),
        ("[](http://x.example/)", "http://x.example/"),
        ('[a](http://x.example/"onmouseover=alert(1))', 'http://x.example/"onmouseover=alert(1)'),
        ("[a](<http://x.example/' onclick='x>)", "http://x.example/' onclick='x"),
        ("[http://shown.example](http://x.example/)", "http://x.example/"),
    ],
)
def test_a_link_goes_where_it_was_written_to(text: str, link: str) -> None:
    found = read(text)
    assert found.links == [link]
    assert found.text.strip()


@pytest.mark.parametrize(
    "address",
    [
        *(
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            "java&#9;script:alert(1)",
            "&#x6A;avascript:x",
            "data:text/html,x",
        ),
        *(
            "vbscript:x",
            "file:///etc/passwd",
            "/relative",
            "//x.example/",
            "#top",
            "?a",
            "https:x.example",
            "x",
        ),
        *(
            "http:\\\\x.example",
            "\u0001javascript:x",
            "view-source:http://x.example",
            "tel:1",
            "blob:http://x.example",
        ),
    ],
)
def test_a_link_anywhere_else_keeps_its_words_only(address: str) -> None:
    found = read(f"[words]({address}) ![words]({address})")
    assert (found.links, found.text) == ([], "words words")


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("see http://x.example/a.", ["http://x.example/a"]),
        ("(http://x.example/a)", ["http://x.example/a"]),
        ("http://x.example/Foo_(bar)", ["http://x.example/Foo_(bar)"]),
        ("(http://x.example/Foo_(bar)).", ["http://x.example/Foo_(bar)"]),
        ("http://x.example/?a=1&b=2, http://y.example", ["http://x.example/?a=1&b=2", "http://y.example"]),
        ("HTTP://X.example!", ["HTTP://X.example"]),
        ("見る http://例え.example/道。次", ["http://例え.example/道。次"]),
        ("見るhttp://x.example/道。", ["http://x.example/道"]),
        ('"http://x.example/"', ["http://x.example/"]),
        ("http://x.example/<b>", ["http://x.example/"]),
        ("|http://x.example|", ["http://x.example"]),
        ("*http://x.example*", ["http://x.example"]),
        ("http://x.example/\u202egpj.exe", ["http://x.example/"]),
        ("xhttp://x.example http:// http://. https:///a ftp://x www.x.example ana@example.org", []),
        ("`http://x.example`\n\n```\nhttp://x.example\n```\n\n    http://x.example", []),
        (f"http://x.example/{'a' * 2_000}", []),
    ],
)
def test_a_bare_address_becomes_a_link_without_the_marks_of_its_sentence(text: str, links: list[str]) -> None:
    assert read(text).links == links


def test_the_words_of_a_text_with_addresses_stay_as_typed() -> None:
    text = 'a (http://x.example/?q="b"&c=<d>), http://y.example/)). e'
    assert read(text).text == text


def test_a_definition_that_no_link_uses_is_shown() -> None:
    found = read("[Source]: http://x.example/a")
    assert (found.text, found.links) == ("[Source]: http://x.example/a", ["http://x.example/a"])


def test_a_definition_that_a_link_uses_is_not_shown_again() -> None:
    assert read("[see  Here]\n\n[See here]: http://x.example/a").text == "see  Here"


def test_quotes_as_deep_as_the_limit_are_quotes() -> None:
    assert render(">" * (MAX_DEPTH - 1) + "a").count("<blockquote>") == MAX_DEPTH - 1


@pytest.mark.parametrize("text", [">" * 61 + "a", "+ " * 61 + "a", "1. " * 61 + "a", "> - " * 40 + "a"])
def test_deeper_nesting_is_shown_as_typed(text: str) -> None:
    found = read(f"{text}\n\nhttp://x.example/ <b>\n*c*")
    assert found.text == f"{text}\nhttp://x.example/ <b>\n*c*"
    assert found.links == ["http://x.example/"]


def test_a_list_that_grows_too_deep_line_by_line_is_shown_as_typed() -> None:
    text = "".join(f"{'  ' * level}- a\n" for level in range(MAX_DEPTH))
    found = read(text)
    assert (found.deepest, found.text.split()) == (1, text.split())


def test_control_characters_and_lone_surrogates_are_replaced() -> None:
    assert render("a\x00b\x1bc\ud800d") == "<p>a\ufffdb\ufffdc\ufffdd</p>"


def test_emoji_and_marks_of_every_script_come_through() -> None:
    text = "👩‍👩‍👧 नमस्ते é ﷽ \u202bעברית\u202c"
    assert read(text).text == text


@pytest.mark.parametrize("filler", ["a", "😀", "é"])
def test_a_text_of_the_largest_size_comes_out_whole(filler: str) -> None:
    text = text_of(filler, MAX_TEXT_BYTES)
    assert read(text).text == text


@pytest.mark.parametrize("pattern", [*REPEATED, *SHAPED])
def test_the_worst_texts_take_under_a_second_and_at_most_three_times_their_half(pattern: str) -> None:
    measured = [measure(pattern)]
    while not measured[-1].is_harmless and len(measured) < 3:  # a busy machine may spoil one measurement
        measured.append(measure(pattern))
    assert measured[-1].is_harmless, measured


@pytest.mark.parametrize("pattern", [*REPEATED, *SHAPED])
def test_the_worst_texts_are_as_large_as_they_say_and_render_to_allowed_html(pattern: str) -> None:
    text = text_of(pattern, MAX_TEXT_BYTES)
    assert MAX_TEXT_BYTES * 0.9 < len(text.encode()) <= MAX_TEXT_BYTES
    assert read(text).deepest <= MAX_DEPTH + 2


@pytest.mark.parametrize(
    ("text", "limit", "line"),
    [
        ("one", 10, "one"),
        (" one\n\ttwo\r\n three ", 20, "one two three"),
        ("one two three", 9, "one two…"),
        ("one two three", 8, "one two…"),
        ("abc", 3, "abc"),
        ("abcd", 3, "ab…"),
        ("abc", 1, "…"),
        ("abc", 0, ""),
        ("a\x00b\ud800c\u202ed", 20, "a b cd"),
        ("**not** <b>markup</b>", 40, "**not** <b>markup</b>"),
    ],
)
def test_plain_text_is_one_line_within_its_limit(text: str, limit: int, line: str) -> None:
    assert plain(text, limit) == line


@pytest.mark.parametrize(
    ("text", "limit", "words"),
    [
        (
            "I **really** want `this` [here](https://example.org/).\n\n- one\n- two",
            80,
            "I really want this here. one two",
        ),
        ("a <b> & c\n> quoted", 40, "a <b> & c quoted"),
        ("*one* two three", 8, "one two…"),
        ("word " * 1_000, 9, "word wor…"),
    ],
)
def test_an_excerpt_has_the_words_without_their_marks(text: str, limit: int, words: str) -> None:
    assert excerpt(text, limit) == words


@settings(deadline=None)
@given(ANY_TEXT, st.integers(0, 80))
def test_plain_text_keeps_to_its_limit_for_any_text(text: str, limit: int) -> None:
    line = plain(text, limit)
    assert len(line) <= limit
    assert len(line.splitlines()) <= 1
    assert line == line.strip()
