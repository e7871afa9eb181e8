"""What readers see, for `docs/screenshots/`: the thread in its states, in each style, and from the right."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from playwright.sync_api import Browser, Page, expect

from comments_service.article_url import identify
from comments_service.decisions.decide import decide_all
from comments_service.decisions.verbs import Change
from comments_service.people.accounts import list_moderators
from comments_service.sites import SiteChange, change_site
from comments_service.storage.database import transaction
from comments_service.submit import submit
from comments_service.vocabulary import Status, Submission
from tools.demo_process import DemoProcess
from tools.pictures import inside, take
from tools.thread_load import add

LONG_ARTICLE = "three-hundred"
OWN_TEXT = "I studied in Yerevan and have friends on both sides. Articles like this one help us to talk."
TALK = "a-talk"
# Who, what, how many minutes ago; a number is the comment that is answered, counted from one
TALKS: dict[str, tuple[tuple[str, str, int, int | None], ...]] = {
    TALK: (
        (
            "Ana Ferreira",
            "> bringing civilians out\n\nIs there a way to help the families?",
            400,
            None,
        ),
        (
            "Jonas Weber",
            "The Red Cross takes **donations**: [a page](https://example.org) says how.",
            300,
            1,
        ),
        ("Ana Ferreira", "Thank you, that helps.", 200, 2),
        ("Priya", "Could you add a timeline? I lose track of the dates.", 50, None),
    ),
    "arabic": (
        ("ليلى حداد", "شكرًا على هذا المقال. هل توجد خريطة للمنطقة؟", 90, None),
        ("سامر", "نعم، توجد خريطة جيدة في الصفحة الأولى.", 30, 1),
    ),
}


def take_readers_pictures(browser: Browser, demo: DemoProcess) -> None:
    """The whole host page, then the thread with a comment that waits."""
    page = browser.new_page(timezone_id="UTC")
    open_article(page, demo)
    take(page, "host", part="html")
    page.get_by_role("textbox", name="Comment", exact=True).fill(OWN_TEXT)
    page.get_by_role("textbox", name="Name", exact=True).fill("Elena Novak")
    page.get_by_role("textbox", name="Email", exact=True).fill("elena@example.org")
    page.get_by_role("button", name="Post Comment").click()
    expect(page.get_by_text(OWN_TEXT)).to_be_visible()
    open_article(page, demo)
    expect(page.get_by_text(OWN_TEXT)).to_be_visible()
    take(page, "widget", part="comment-thread")


def take_pictures_of_a_long_thread(browser: Browser, demo: DemoProcess) -> None:
    """Three hundred comments of another article, as far as a screen shows them."""
    article = identify(demo.newspaper, LONG_ARTICLE, origins=[demo.newspaper])
    with inside(demo) as (_, site), transaction() as session:
        first, second, *_ = add(session, site.id, article, 60)
        add(session, site.id, article, 2, below=first)
        add(session, site.id, article, 238, below=second)
    page = browser.new_page(timezone_id="UTC")
    open_article(page, demo)
    page.locator("comment-thread").evaluate("(e, id) => e.setAttribute('article-id', id)", LONG_ARTICLE)
    expect(page.get_by_role("heading", name="300 thought")).to_be_visible()
    page.locator("comment-thread").evaluate("e => scrollTo(0, e.getBoundingClientRect().top + scrollY)")
    take(page, "long")


def open_article(page: Page, demo: DemoProcess) -> None:
    """Load the article with its comments."""
    page.goto(demo.newspaper)
    page.locator("comment-thread").scroll_into_view_if_needed()
    expect(page.get_by_role("heading", name="Leave a Reply")).to_be_visible()


def take_pictures_of_states(browser: Browser, demo: DemoProcess) -> None:
    """Nobody yet, wrong fields, no answer; a talk with votes in each style; a talk from the right."""
    let_people_talk(demo)
    page = browser.new_page(timezone_id="UTC", bypass_csp=True)  # the newspaper's policy knows no classic.css
    open_article(page, demo)
    turn(page, **{"article-id": "nobody-yet"})
    take(page, "empty", part="comment-thread")
    page.get_by_role("button", name="Post Comment").click()
    expect(page.get_by_text("Please type your comment.")).to_be_visible()
    take(page, "wrong", part="comment-thread")
    turn(page, **{"article-id": TALK})
    take(page, "talk", part="comment-thread")
    page.get_by_role("button", name="Reply to Priya").click()
    page.get_by_role("textbox", name="Comment").fill("There is one in *today's* paper:\n\n- 1994\n- 2020")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("region", name="Preview").get_by_role("list")).to_be_visible()
    take(page, "reply", part="comment-thread")
    turn(page, look="news")
    take(page, "news", part="comment-thread")
    turn(page, look="none")
    page.add_style_tag(url=f"{demo.service}/classic.css")
    take(page, "classic", part="comment-thread")
    turn(page, look="plain", lang="ar", **{"article-id": "arabic"})
    take(page, "arabic", part="comment-thread")
    page.route("**/api/v1/**", lambda route: route.abort())
    page.reload()
    page.locator("comment-thread").scroll_into_view_if_needed()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    take(page, "no-answer", part="comment-thread")


def turn(page: Page, **attributes: str) -> None:
    """Change the element's attributes, and wait until it has followed."""
    page.locator("comment-thread").evaluate(
        """(element, attributes) => new Promise((resolve) => {
          element.addEventListener("comments:ready", resolve);
          for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
        })""",
        attributes,
    )
    expect(page.locator("comment-thread form").last).to_be_visible()


def let_people_talk(demo: DemoProcess) -> None:
    """Write and approve the talks, and let readers vote."""
    with inside(demo) as (parts, site):
        change_site(site.key, SiteChange(votes="both"), catalogue=parts.catalogue, now=datetime.now(UTC))
        moderator = list_moderators()[0]
        for article, talk in TALKS.items():
            written: list[int] = []
            for name, text, minutes, answered in talk:
                submission = Submission(
                    site=site,
                    article=identify(demo.newspaper, article, origins=site.origins),
                    title="",
                    parent_id=written[answered - 1] if answered else None,
                    name=name,
                    email=f"{article}-{len(written)}@example.org",
                    website=None,
                    text=text,
                    network=f"10.9.{len(article)}.{len(written)}/24",
                    idempotency_key=f"{article}-{len(written)}",
                )
                came = datetime.now(UTC) - timedelta(minutes=minutes)
                receipt = submit(submission, settings=parts.settings, keys=parts.keys, now=came)
                decide_all(
                    [Change(receipt.comment_id, 1, Status.APPROVED)], by=moderator, now=datetime.now(UTC)
                )
                written.append(receipt.comment_id)
