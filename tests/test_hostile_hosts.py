"""Pages that do to the widget what pages do: it works there, or says in one line why it does not."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser import Console, overflow
from tests.factories import a_comment
from tests.servers import HostPage, LiveService

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@dataclass(frozen=True)
class Host:
    """What is in the page's head and before the tag, which script runs first, and which styles it has."""

    head: str = ""
    body: str = ""
    script: str = ""
    css: str = ""


CLOBBERED = "".join(
    f'<img name="{name}" alt="">'
    for name in ("title", "currentScript", "documentElement", "readyState", "body", "activeElement", "head")
)
FIND_CLOBBERED = "".join(f'<form name="{name}"></form>' for name in ("querySelector", "querySelectorAll"))
HOSTS = {
    "styles that revert everything": Host(css="* { all: revert !important }"),
    "styles for every element": Host(
        css="""* { margin: 40px !important; float: left !important; text-transform: uppercase !important }
        div, section, article, form, p, input, textarea, button { display: none }"""
    ),
    "huge letters": Host(
        css="html { font-size: 60px } body { font-size: 40px; line-height: 3 } * { font-weight: 900 }"
    ),
    "images with the names of the document's own things": Host(body=CLOBBERED),
    "forms with the names of the document's own functions": Host(body=FIND_CLOBBERED),
    "elements with our ids": Host(
        body='<input id="text"><p id="comments"></p><input id="name"><b id="comments-thread-1"></b>'
    ),
    "names on the window": Host(
        script="var name = 1; var Service = 2; var make = 3; var comments = 4; var Problem;"
    ),
    "an old library that extends what everybody has": Host(
        script="""
        Array.prototype.toJSON = function () { return "[" + this.join() + "]"; };
        Array.prototype.each = function () {};
        Object.prototype.extended = function () {};
        String.prototype.strip = function () {};
        """
    ),
    "a fetch that takes texts alone": Host(
        script="""
        const before = window.fetch;
        const isAdvert = (address) => address.startsWith("https://ads.example") && "/";
        window.fetch = (address, ...more) =>
          before(isAdvert(address) || address, ...more).then((answer) => answer.clone());
        """
    ),
    "a base that is elsewhere": Host(
        head='<base href="https://elsewhere.example.org/deep/" target="_blank">'
    ),
    "policies for scripts that another list makes": Host(
        script="""
        trustedTypes.createPolicy("default", { createHTML: () => "", createScriptURL: (url) => url });
        """
    ),
    "a lock on prototypes": Host(script="Object.freeze(Object.prototype); Object.freeze(Array.prototype);"),
    "no storage": Host(
        script="""
        for (const kind of ["localStorage", "sessionStorage"])
          Object.defineProperty(window, kind, { get() { throw new DOMException("no", "SecurityError"); } });
        """
    ),
    "letters as shortcuts": Host(
        script="""
        addEventListener("keydown", (event) => {
          if (event.composedPath()[0].matches("input, textarea")) return;
          if (!/input|textarea/i.test(event.target.tagName)) event.preventDefault();
        });
        """
    ),
}


def prepare(host_page: HostPage, service: LiveService, host: Host) -> None:
    """Make the host page one of those."""
    host_page.embed(service.url, body=host.body)
    host_page.html = host_page.html.replace("</head>", host.head + "</head>")
    host_page.csp = host_page.csp.replace("base-uri 'none'; ", "").replace(
        "trusted-types comments", "trusted-types comments default"
    )
    host_page.css += host.css


def open_it(page: Page, host_page: HostPage, path: str = "/article") -> None:
    """Open it and come near the comments."""
    page.goto(host_page.url(path))
    expect(page.get_by_role("textbox", name="Comment")).to_be_visible()


def post(page: Page) -> None:
    """Write and send."""
    for name, value in {"Comment": "A *fine* bridge.", "Name": "Dora", "Email": "dora@example.org"}.items():
        page.get_by_role("textbox", name=name, exact=True).press_sequentially(value)
    page.get_by_role("button", name="Post Comment").click()


@pytest.mark.parametrize("name", HOSTS)
def test_the_widget_works_on_a_page_with(
    page: Page, console: Console, live_service: LiveService, host_page: HostPage, name: str
) -> None:
    a_comment(live_service.app, live_service.site, url=host_page.url(), name="Ana", text="Is it *open*?")
    prepare(host_page, live_service, HOSTS[name])
    page.add_init_script(HOSTS[name].script)
    open_it(page, host_page)
    expect(page.get_by_role("article").get_by_text("Is it open?")).to_be_visible()
    post(page)
    expect(page.get_by_role("article").get_by_text("Your comment is awaiting moderation")).to_be_visible()
    expect(page.get_by_role("article").last.locator("em")).to_have_text("fine")
    page.set_viewport_size({"width": 320, "height": 640})
    frame = page.locator("section.comments")
    assert frame.evaluate("e => e.scrollWidth - e.clientWidth") <= 0
    assert console.unexpected == []


def test_the_widget_works_in_a_frame(page: Page, live_service: LiveService, host_page: HostPage) -> None:
    a_comment(live_service.app, live_service.site, url=host_page.url(), name="Ana", text="Is it open?")
    page.goto(host_page.url("/frame"))
    page.evaluate(
        """() => {
          const frame = document.createElement("iframe");
          Object.assign(frame, { src: "/article", width: "600", height: "900" });
          document.body.replaceChildren(frame);
        }"""
    )
    inside = page.frame_locator("iframe")
    expect(inside.get_by_text("Is it open?")).to_be_visible()
    for name, value in {"Comment": "Fine.", "Name": "Dora", "Email": "dora@example.org"}.items():
        inside.get_by_role("textbox", name=name, exact=True).fill(value)
    inside.get_by_role("button", name="Post Comment").click()
    expect(inside.get_by_role("article").get_by_text("Your comment is awaiting moderation")).to_be_visible()


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (
            "const f = fetch; window.fetch = (a, o) => f(a, { ...o, credentials: 'include' })",
            "could not be loaded",
        ),
        ("window.fetch = undefined", "could not be loaded"),
        ("window.fetch = () => { throw new Error('no') }", "could not be loaded"),
        (
            "window.fetch = async () => new Response('<p>Sign in to the wireless network</p>')",
            "could not be loaded",
        ),
        ("window.fetch = async () => new Response('[]')", "could not be loaded"),
    ],
)
def test_a_page_that_breaks_asking_is_told_in_one_line(
    page: Page, live_service: LiveService, host_page: HostPage, script: str, told: str
) -> None:
    page.add_init_script(script)
    page.goto(host_page.url())
    failed = page.get_by_role("alert").filter(has_text="Comments")
    expect(failed).to_contain_text(told)
    expect(page.get_by_role("button", name="Try again")).to_be_visible()


def test_a_page_in_a_sandbox_is_told_in_one_line(
    page: Page, live_service: LiveService, host_page: HostPage
) -> None:
    host_page.csp += "; sandbox allow-scripts"  # its origin is `null`, which no list has
    page.goto(host_page.url())
    expect(page.get_by_role("alert")).to_contain_text("could not be loaded")


def test_an_old_script_from_a_cache_goes_on_without_what_came_later(
    page: Page, live_service: LiveService, host_page: HostPage
) -> None:
    """After an upgrade the names of its modules are not there any more."""
    page.route("**/*.*.js", lambda route: route.fulfill(status=404))
    open_it(page, host_page)
    post(page)
    expect(page.get_by_role("article").get_by_text("Your comment is awaiting moderation")).to_be_visible()


def test_links_keep_their_words_where_a_blocker_drops_the_counts(
    page: Page, live_service: LiveService, host_page: HostPage
) -> None:
    link = f'<a data-comments-count href="{host_page.url()}">Comments</a>'
    host_page.html = f'{link}<script src="{live_service.url}/count.js" data-site="demo" async></script>'
    host_page.csp = ""
    page.route("**/count.js", lambda route: route.abort("blockedbyclient"))
    page.goto(host_page.url("/list"), wait_until="networkidle")
    expect(page.get_by_role("link")).to_have_text("Comments")


def test_a_blocker_that_drops_the_counts_api_leaves_the_thread(
    page: Page, live_service: LiveService, host_page: HostPage
) -> None:
    def drop(route: Route) -> None:
        route.abort("blockedbyclient")

    host_page.embed(live_service.url, body=f'<a data-comments-count href="{host_page.url()}">Comments</a>')
    page.route("**/counts?*", drop)
    open_it(page, host_page)
    expect(page.get_by_role("link", name="Comments", exact=True)).to_be_visible()
    assert overflow(page) <= 0
