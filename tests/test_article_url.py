"""Every spelling of an address is one article, and what is no article of the site is refused."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from comments_service.article_url import (
    TRACKING_PARAMETERS,
    identify,
    normalise_url,
    parse_origin,
    same_origin,
)
from comments_service.errors import ArticleRefused
from comments_service.vocabulary import MAX_ARTICLE_ID_CHARACTERS, MAX_URL_CHARACTERS, ArticleRef

ORIGINS = ("https://news.example.org", "http://localhost:8001")
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
PIECES = (
    *(
        "/",
        "//",
        ".",
        "..",
        "%2e",
        "%2F",
        "%",
        "%%34%31",
        "%c3%A9",
        "é",
        " ",
        "\\",
        "?",
        "&",
        "=",
        "&&",
        "a",
        "b=1",
    ),
    *(
        "a=2",
        "utm_source=x",
        "UTM_x",
        "fbclid",
        "index.html",
        "index.php",
        "Index.HTM",
        "#",
        ";",
        ":",
        "@",
        "[]",
    ),
)
TAILS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
HOSTS = st.sampled_from(
    [
        "news.example.org",
        "www.www.example.org",
        "EXAMPLE.org.",
        "bücher.example",
        "[2001:DB8::1]",
        "a_b.example",
        "192.0.2.1",
    ]
)
PORTS = st.sampled_from(["", ":", ":80", ":443", ":8443", ":0443"])


def refusal(url: str, explicit_id: str | None = None) -> ArticleRefused:
    with pytest.raises(ArticleRefused) as refused:
        identify(url, explicit_id, origins=ORIGINS)
    return refused.value


@pytest.mark.parametrize(
    "url",
    [
        "https://news.example.org/a/b?x=1&y=2",
        "http://news.example.org/a/b?x=1&y=2",
        "//news.example.org/a/b?x=1&y=2",
        "HTTPS://News.Example.ORG/a/b?x=1&y=2",
        "https://www.news.example.org/a/b?x=1&y=2",
        "https://news.example.org./a/b?x=1&y=2",
        "https://news.example.org:443/a/b?x=1&y=2",
        "http://news.example.org:80/a/b?x=1&y=2",
        "https://news.example.org/a/b?x=1&y=2#comment-3",
        "https://news.example.org/a/b?y=2&x=1",
        "https://news.example.org/a/b?x=1&&y=2&",
        "https://news.example.org/a/b?utm_source=mail&x=1&UTM_Medium=b&y=2&fbclid=1&gclid&mc_cid=z",
        "https://news.example.org/a/b/?x=1&y=2",
        "https://news.example.org/a/b/index.html?x=1&y=2",
        "https://news.example.org/a/b/Index.HTM?x=1&y=2",
        "https://news.example.org/a/b/index.php/?x=1&y=2",
        "https://news.example.org//a///b?x=1&y=2",
        "https://news.example.org/./a/c/../b?x=1&y=2",
        "https://news.example.org/%61/%62?%78=1&y=%32",
        "https://news.example.org/c/%2e%2E/a/b?x=1&y=2",
        "https://news.example.org/a\\b?x=1&y=2",
    ],
)
def test_spellings_of_one_address_have_one_normal_form(url: str) -> None:
    assert normalise_url(url) == "//news.example.org/a/b?x=1&y=2"


@pytest.mark.parametrize(
    ("url", "normalised"),
    [
        ("https://example.org", "//example.org/"),
        ("https://example.org?a", "//example.org/?a"),
        ("https://example.org/index.html/index.php", "//example.org/"),
        ("https://example.org/index.php/2026/post", "//example.org/index.php/2026/post"),
        ("https://example.org/A/b", "//example.org/A/b"),
        ("https://example.org/../../a", "//example.org/a"),
        ("https://example.org/a//../b", "//example.org/a/b"),
        ("https://example.org/ä ö|", "//example.org/%C3%A4%20%C3%B6%7C"),
        ("https://example.org/%c3%a4%2f", "//example.org/%C3%A4%2F"),
        ("https://example.org/100%", "//example.org/100%25"),
        ("https://example.org/?a[]=2&a[]=1", "//example.org/?a%5B%5D=2&a%5B%5D=1"),
        ("https://example.org/?b=1&a=2&b=0", "//example.org/?a=2&b=1&b=0"),
        ("https://bücher.example/", "//xn--bcher-kva.example/"),
        ("https://XN--BCHER-KVA.example/", "//xn--bcher-kva.example/"),
        ("https://straße.example/", "//xn--strae-oqa.example/"),
        ("https://ｅｘａｍｐｌｅ。org/", "//example.org/"),
        ("https://i❤.example/", "//xn--i-7iq.example/"),
        ("http://example.org:443/", "//example.org:443/"),
        ("https://example.org:8443/", "//example.org:8443/"),
        ("https://[2001:DB8:0:0::1]:8443/", "//[2001:db8::1]:8443/"),
        ("https://www.org/", "//www.org/"),
    ],
)
def test_a_normal_form_is(url: str, normalised: str) -> None:
    assert normalise_url(url) == normalised


@pytest.mark.parametrize("name", sorted(TRACKING_PARAMETERS))
def test_a_tracking_parameter_makes_no_other_article(name: str) -> None:
    assert normalise_url(f"https://example.org/?{name}=1&a=2") == "//example.org/?a=2"


@settings(deadline=None)
@given(st.sampled_from(["https://", "http://", "//"]), HOSTS, PORTS, TAILS)
def test_a_normal_form_is_its_own_normal_form(scheme: str, host: str, port: str, tail: str) -> None:
    normalised = normalise_url(f"{scheme}{host}{port}/{tail}")
    assert normalise_url(normalised) == normalised


@settings(deadline=None)
@given(ANY_TEXT | TAILS)
def test_every_address_that_is_taken_has_an_ascii_normal_form_of_its_own_and_of_bounded_length(
    tail: str,
) -> None:
    try:
        found = identify(f"https://news.example.org/{tail}", None, origins=ORIGINS)
    except ArticleRefused:
        assume(False)
    assert normalise_url(found.url) == found.normalised_url == normalise_url(found.normalised_url)
    assert found.normalised_url.isascii()
    assert len(found.normalised_url) <= MAX_URL_CHARACTERS


@settings(deadline=None)
@given(ANY_TEXT, st.none() | ANY_TEXT)
def test_any_text_is_an_article_of_the_site_or_refused(url: str, explicit_id: str | None) -> None:
    for candidate in (url, f"https://{url}", f"https://news.example.org{url}"):
        with suppress(ArticleRefused):
            found = identify(candidate, explicit_id, origins=ORIGINS)
            assert found.normalised_url.startswith("//news.example.org/")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "  ",
        "null",
        "undefined",
        "news.example.org/a",
        "//news.example.org/a",
        "/a",
        "ftp://news.example.org/a",
        "javascript:alert(1)//news.example.org",
        "data:text/html,x",
        "https:news.example.org/a",
        "https:///a",
        "https://",
        "https://ana@news.example.org/",
        "https://ana:secret@news.example.org/",
        "https://@news.example.org/",
        "https://news.example.org\\@evil.example/",
        "https://evil.example\\@news.example.org/",
        "https://news.example.org:99999/",
        "https://news.example.org:8O/",
        "https://news.example.org:8443/",
        "https://news..example.org/",
        "https://news.example.org%00/",
        "https://news.example.org evil.example/",
        "https://[::1/",
        "https://evil.example/news.example.org",
        "https://news.example.org.evil.example/",
        "https://sub.news.example.org/",
        "https://news.example.org/a\nb",
        "https://news.example.org/\x00",
        "https://news.example.org/\x85a",
        "https://news.example.org/\ud800",
        "https://news.example.org/{{ page.url }}",
        "https://news.example.org/{% url 'x' %}",
        "https://news.example.org/<%= url %>",
        "https://news.example.org/<?= $url ?>",
        "https://news.example.org/${slug}",
        "https://news.example.org/#{slug}",
        "https://news.example.org/[object Object]",
        "https://news.example.org/%5Bobject%20Object%5D",
        "https://news.example.org/%7B%7Bslug%7D%7D",
        "https://news.example.org/?p=%24%7Bslug%7D",
        "https://news.example.org/undefined",
        "https://news.example.org/posts/null/",
        "https://news.example.org/undefined?x=1",
        f"https://news.example.org/{'a' * MAX_URL_CHARACTERS}",
        f"https://news.example.org/{'é' * 600}",
    ],
)
def test_an_address_that_names_no_article_of_the_site_is_refused(url: str) -> None:
    assert refusal(url).field == "url"


@pytest.mark.parametrize(
    "explicit_id",
    [
        *("", "  ", "\t", "null", "undefined", "NaN", "None", "{{ id }}", "{%id%}", "<%= id %>", "${id}"),
        *("[object Object]", "%7B%7Bid%7D%7D", "a\x00b", "a\nb", "a\x7fb", "\ud800"),
        "x" * (MAX_ARTICLE_ID_CHARACTERS + 1),
    ],
)
def test_an_id_that_was_not_filled_in_or_cannot_be_one_is_refused(explicit_id: str) -> None:
    assert refusal("https://news.example.org/a", explicit_id).field == "id"


def test_a_refusal_says_which_field_is_wrong_in_the_form_that_doors_show() -> None:
    refused = refusal("https://evil.example/")
    assert [(error.field, error.code) for error in refused.errors] == [("url", "refused")]
    assert (refused.status, refused.errors[0].detail) == (422, refused.detail)


@pytest.mark.parametrize("url", ["//news.example.org/a", "ftp://news.example.org/a", "javascript:x"])
def test_a_refusal_of_another_scheme_says_which_ones_are_taken(url: str) -> None:
    assert "http:// or https://" in refusal(url).detail


def test_an_article_keeps_its_own_address_beside_the_normal_one() -> None:
    found = identify(" http://www.news.example.org/A/?utm_id=1#respond ", " post-7 ", origins=ORIGINS)
    assert found == ArticleRef("http://www.news.example.org/A/?utm_id=1", "//news.example.org/A", "post-7")


def test_a_page_that_is_really_called_undefined_can_be_told_by_an_id() -> None:
    assert identify("https://news.example.org/undefined", "7", origins=ORIGINS).explicit_id == "7"


def test_json_in_a_query_is_no_template() -> None:
    url = "https://news.example.org/?q={%22a%22:{%22b%22:1}}"
    assert identify(url, None, origins=ORIGINS).url == url


def test_an_id_may_be_as_long_as_the_limit_and_in_any_script() -> None:
    longest = "статья 記事 " + "x" * (MAX_ARTICLE_ID_CHARACTERS - 10)
    assert identify("https://news.example.org/", longest, origins=ORIGINS).explicit_id == longest


@pytest.mark.parametrize(
    "origin",
    [
        "https://news.example.org",
        "http://news.example.org",
        "https://NEWS.example.org:443",
        "http://news.example.org:80",
        "https://www.news.example.org",
        "http://localhost:8001",
        "https://localhost:8001",
    ],
)
def test_an_origin_of_the_site_is_known_in_each_spelling(origin: str) -> None:
    assert same_origin(origin, ORIGINS)


@pytest.mark.parametrize(
    "origin",
    [
        *(
            "",
            "null",
            "https://",
            "news.example.org",
            "https://example.org",
            "https://news.example.org.evil.example",
        ),
        *(
            "https://news.example.org:8443",
            "http://localhost",
            "http://localhost:8002",
            "http://127.0.0.1:8001",
        ),
        *("https://ana@news.example.org", "https://news.example.org/x", "ftp://news.example.org"),
        *("https://sub.news.example.org", "https://news.example.org\x00", "https://newsXexample.org"),
    ],
)
def test_a_foreign_origin_is_not_known(origin: str) -> None:
    assert not same_origin(origin, ORIGINS)


def test_an_unreadable_entry_in_the_list_matches_nothing() -> None:
    assert not same_origin("null", ("null", "", "nonsense"))


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://Example.org", "https://example.org"),
        (" http://example.org:80/ ", "https://example.org"),
        ("http://www.example.org", "https://www.example.org"),
        ("https://bücher.example:8443", "https://xn--bcher-kva.example:8443"),
        ("http://[::1]:8000", "https://[::1]:8000"),
    ],
)
def test_an_origin_is_kept_in_one_form(text: str, origin: str) -> None:
    assert parse_origin(text) == origin == parse_origin(origin)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "null",
            "*",
            "example.org",
            "https://*.example.org",
            "https://example.org/blog",
            "https://example.org?",
        ),
        *(
            "https://example.org#",
            "https://ana@example.org",
            "ftp://example.org",
            "//example.org",
            "https://exa\nmple.org",
        ),
    ],
)
def test_what_is_no_origin_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        parse_origin(text)
