"""News of a thread on the screen: new comments, and what became of one's own. Nothing jumps for them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field as made_by

import pytest
from flask import Response, request
from playwright.sync_api import Locator, Page, Route, expect

from comments_service.decisions.decide import decide, decide_all
from comments_service.decisions.verbs import Change, Verb
from comments_service.vocabulary import Status
from tests.browser import Console, assert_accessible
from tests.conftest import NOW
from tests.doors import change_site
from tests.servers import HostPage, LiveService, wait_until
from tests.test_fragment_browser import WATCH
from tests.test_widget import WAITING, button, comment, field, on, open_article, post, write
from tests.test_widget_threads import AT_ONCE

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

MINUTE = 60_000
HIDE = """away => {
  Object.defineProperty(Document.prototype, "hidden", { configurable: true, get: () => away });
  document.dispatchEvent(new Event("visibilitychange", { bubbles: true }));
}"""


@pytest.fixture(autouse=True)
def nothing_complains(page: Page, console: Console) -> Iterator[None]:
    """Whatever the page complains about fails the test. Its clock is moved by the test."""
    page.clock.install()
    yield
    assert console.unexpected == []


@dataclass
class Answers:
    """What the service has answered about threads."""

    page: Page
    service: str
    statuses: list[int] = made_by(default_factory=list)
    arrived: list[str] = made_by(default_factory=list)  # in the browser

    def settle(self, count: int) -> None:
        """Wait until there are so many, and the page has had time for them and for whatever else it wants."""
        wait_until(lambda: self._ask() and len(self.arrived) >= count, f"{count} answers")
        self._ask()
        assert len(self.statuses) == len(self.arrived) == count

    def _ask(self) -> bool:
        asked = "address => fetch(address, { mode: 'no-cors' }).then(() => true)"
        return bool(self.page.evaluate(asked, f"{self.service}/healthz"))


@pytest.fixture
def answers(page: Page, live_service: LiveService) -> Answers:
    """Listen to the service."""
    found = Answers(page, live_service.url)

    def note(response: Response) -> Response:
        if request.endpoint == "api.thread":
            found.statuses.append(response.status_code)
        return response

    page.on(
        "requestfinished", lambda asked: found.arrived.append(asked.url) if "/thread?" in asked.url else None
    )
    live_service.app.after_request_funcs.setdefault(None, []).append(note)
    return found


def pass_time(page: Page, minutes: float) -> None:
    """Let the page's clock go on."""
    page.clock.run_for(int(minutes * MINUTE) + 1_000)


def top_of(place: Locator) -> int:
    """Where it stands on the screen, in whole pixels."""
    return round(float(place.evaluate("e => e.getBoundingClientRect().y")))


def test_new_comments_are_told_in_one_line_and_shown_when_it_is_pressed(
    page: Page, live_service: LiveService, host_page: HostPage, answers: Answers
) -> None:
    first = on(live_service, host_page, name="Ana", text="The first.")
    on(live_service, host_page, text="The second.")
    open_article(page, host_page)
    field(page, "Comment").fill("I am still writing.")
    place = top_of(field(page, "Comment"))
    pass_time(page, 1)
    answers.settle(2)
    on(live_service, host_page, text="A reply.", parent_id=first.id)
    on(live_service, host_page, text="The third.")
    pass_time(page, 2)
    offer = button(page, "2 new comments")
    expect(offer).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="2 new comments")).to_have_count(1)
    expect(field(page, "Comment")).to_be_focused()
    assert top_of(field(page, "Comment")) == place
    expect(page.get_by_role("heading", level=2)).to_contain_text("2 thoughts")
    assert answers.statuses == [200, 304, 200]
    assert_accessible(page)
    offer.press("Enter")
    expect(comment(page, "A reply.")).to_be_focused()
    expect(offer).to_have_count(0)
    texts = page.locator("article .comment__body").all_inner_texts()
    assert texts == ["The first.", "A reply.", "The second.", "The third."]
    expect(page.get_by_role("heading", level=2)).to_contain_text("4 thoughts")
    expect(field(page, "Comment")).to_have_value("I am still writing.")
    assert answers.statuses == [200, 304, 200, 304]


def test_a_reply_that_is_being_written_stays_below_what_it_answers(
    page: Page, live_service: LiveService, host_page: HostPage
) -> None:
    change_site(live_service.app, live_service.site, rules=AT_ONCE)
    open_article(page, host_page)
    write(page, "My own words.", name="Ana")
    post(page)
    button(page, "Reply to Ana").click()
    field(page, "Comment").fill("I am still writing.")
    on(live_service, host_page, text="Another comment.")
    pass_time(page, 1)
    button(page, "1 new comment").click()
    expect(comment(page, "Another comment.")).to_be_focused()
    below = page.locator("li").filter(has=comment(page, "My own words."))
    expect(below.get_by_role("textbox", name="Comment", exact=True)).to_have_value("I am still writing.")
    expect(comment(page, "My own words.")).to_have_count(1)


def test_a_press_that_brings_nothing_says_so_and_can_be_repeated(
    page: Page, console: Console, live_service: LiveService, host_page: HostPage
) -> None:
    open_article(page, host_page)
    on(live_service, host_page, text="Another comment.")
    pass_time(page, 1)
    offer = button(page, "1 new comment")
    expect(offer).to_be_visible()
    page.context.set_offline(True)
    offer.click()
    told = page.get_by_role("status").filter(has_text="Comments could not be loaded.")
    expect(told).to_be_visible()
    expect(offer).to_be_focused()
    page.context.set_offline(False)
    offer.click()
    expect(comment(page, "Another comment.")).to_be_focused()
    expect(told).to_have_count(0)
    assert [said for said in console.complaints if "DISCONNECTED" not in said] == []
    console.complaints.clear()


def test_news_that_come_after_the_reader_has_chosen_another_order_are_those_of_before(
    page: Page, live_service: LiveService, host_page: HostPage, answers: Answers
) -> None:
    stored = [on(live_service, host_page, text=f"Number {number}.") for number in range(22)]
    open_article(page, host_page)
    on(live_service, host_page, text="A reply.", parent_id=stored[0].id)
    pass_time(page, 1)
    expect(button(page, "1 new comment")).to_be_visible()
    held: list[Route] = []
    page.route("**/thread?*", lambda route: held.append(route))  # noqa: PLW0108 - a function it is
    button(page, "1 new comment").click()
    page.get_by_role("combobox").select_option("newest")
    wait_until(lambda: bool(page.evaluate("1")) and len(held) == 2, "both requests")
    held[1].continue_()
    newest = [f"Number {number}." for number in range(21, 1, -1)]
    expect(page.locator("article .comment__body")).to_have_text(newest)
    held[0].continue_()
    page.unroute("**/thread?*")
    answers.settle(4)
    expect(page.locator("article .comment__body")).to_have_text(newest)


def test_in_the_order_of_the_newest_they_come_above_and_a_part_of_a_thread_stays_a_part(
    page: Page, live_service: LiveService, host_page: HostPage, answers: Answers
) -> None:
    stored = [on(live_service, host_page, text=f"Number {number}.") for number in range(23)]
    change_site(live_service.app, live_service.site, options={"sort": "newest"})
    open_article(page, host_page)
    with live_service.app.app_context():
        decide(Change(stored[9].id, stored[9].version, Status.TRASH), by=None, now=NOW)
    place = top_of(comment(page, "Number 22."))
    pass_time(page, 1)
    answers.settle(2)
    expect(page.get_by_role("button", name="new comment")).to_have_count(0)  # one moved up, none is new
    on(live_service, host_page, text="Number 23.")
    pass_time(page, 2)
    expect(button(page, "1 new comment")).to_be_visible()
    assert top_of(comment(page, "Number 22.")) == place
    button(page, "1 new comment").click()
    expect(comment(page, "Number 23.")).to_be_focused()
    texts = page.locator("article .comment__body").all_inner_texts()
    assert texts == [f"Number {number}." for number in range(23, 2, -1)]
    expect(button(page, "More comments")).to_be_visible()


def test_what_was_there_before_is_not_new_when_the_first_one_on_the_screen_is_gone(
    page: Page, live_service: LiveService, host_page: HostPage, answers: Answers
) -> None:
    stored = [on(live_service, host_page, text=f"Number {number}.") for number in range(23)]
    open_article(page, host_page, f"/article#comment-{stored[20].id}")
    expect(comment(page, "Number 20.")).to_be_visible()
    with live_service.app.app_context():
        decide(Change(stored[20].id, stored[20].version, Status.TRASH), by=None, now=NOW)
    pass_time(page, 1)
    answers.settle(2)
    expect(page.get_by_role("button", name="new comment")).to_have_count(0)


def test_it_looks_only_while_somebody_is_there_and_less_and_less_often(
    page: Page, live_service: LiveService, host_page: HostPage, answers: Answers
) -> None:
    on(live_service, host_page)
    scripts: list[str] = []
    page.on("request", lambda asked: scripts.append(asked.url) if "/fresh." in asked.url else None)
    open_article(page, host_page)
    page.evaluate(HIDE, True)
    pass_time(page, 5)
    answers.settle(1)
    assert scripts == []
    page.evaluate(HIDE, False)
    pass_time(page, 1)
    answers.settle(2)
    for minutes, count in ((2, 3), (2, 3), (2, 4), (4, 4), (4, 5), (16, 6), (16, 7)):
        pass_time(page, minutes)
        answers.settle(count)
    page.evaluate(HIDE, True)
    pass_time(page, 60)
    answers.settle(7)
    page.evaluate(HIDE, False)
    answers.settle(8)
    page.context.set_offline(True)
    pass_time(page, 3)
    page.context.set_offline(False)
    answers.settle(9)
    page.evaluate("document.querySelector('h1').style.marginBottom = '9000px'")
    page.clock.run_for(5 * MINUTE)
    answers.settle(9)
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    answers.settle(10)
    page.evaluate("document.querySelector('comment-thread').remove()")
    pass_time(page, 60)
    answers.settle(10)
    assert len(scripts) == 1


def test_an_own_comment_tells_what_became_of_it(
    page: Page, live_service: LiveService, host_page: HostPage
) -> None:
    on(live_service, host_page, text="The first.")
    open_article(page, host_page)
    for text in ("Good words.", "Bad words."):
        write(page, text)
        post(page)
        expect(comment(page, text)).to_contain_text(WAITING)
    numbers = [
        int(str(page.locator(f"article:has-text('{t} words')").get_attribute("id"))[8:])
        for t in ("Good", "Bad")
    ]
    field(page, "Comment").fill("I am still writing.")
    place = top_of(field(page, "Comment"))
    with live_service.app.app_context():
        decide(Change(numbers[0], 1, Verb.APPROVE), by=None, now=NOW)
    pass_time(page, 1)
    expect(comment(page, "Good words.")).not_to_contain_text(WAITING)
    expect(page.get_by_role("status").filter(has_text="Your comment is published.")).to_have_count(1)
    expect(page.get_by_role("heading", level=2)).to_contain_text("2 thoughts")
    expect(field(page, "Comment")).to_be_focused()
    assert top_of(field(page, "Comment")) == place
    with live_service.app.app_context():
        decide_all([Change(numbers[1], 1, Verb.TRASH)], by=None, now=NOW, note="Please <stay> kind.")
    pass_time(page, 1)
    told = "Your comment was not published. Only you can see it."
    bad = comment(page, "Bad words.")
    expect(bad).to_contain_text(f"{told} Please <stay> kind.")
    expect(page.get_by_role("status").filter(has_text=told)).to_have_count(1)
    assert_accessible(page)
    page.add_init_script(WATCH)
    page.reload()
    expect(bad).to_contain_text(told)
    assert page.evaluate("shifts.reduce((all, each) => all + each, 0)") < 0.01  # it was there with the thread
    button(page, "Put away").click()
    expect(bad).to_have_count(0)
    expect(comment(page, "Good words.")).to_be_focused()
    page.reload()
    expect(comment(page, "Good words.")).to_be_visible()
    expect(bad).to_have_count(0)


def test_an_author_who_is_changing_a_comment_hears_of_it_afterwards(
    page: Page, live_service: LiveService, host_page: HostPage, answers: Answers
) -> None:
    open_article(page, host_page)
    write(page, "Good words.")
    post(page)
    button(page, "Edit your comment").click()
    editor = page.get_by_role("form", name="Edit your comment")
    editor.get_by_role("textbox").fill("Better wor")
    number = int(str(page.get_by_role("article").get_attribute("id"))[8:])
    with live_service.app.app_context():
        decide(Change(number, 1, Verb.APPROVE), by=None, now=NOW)
    pass_time(page, 1)
    answers.settle(2)
    expect(editor.get_by_role("textbox")).to_be_focused()
    editor.get_by_role("button", name="Cancel").click()
    pass_time(page, 3)
    expect(comment(page, "Good words.")).not_to_contain_text(WAITING)


def test_the_time_for_changes_ends_on_an_open_page_too(
    page: Page, live_service: LiveService, host_page: HostPage
) -> None:
    open_article(page, host_page)
    write(page)
    post(page)
    expect(button(page, "Edit your comment")).to_be_visible()
    button(page, "Edit your comment").focus()
    pass_time(page, 15)
    expect(button(page, "Edit your comment")).to_have_count(0)
    expect(button(page, "Withdraw your comment")).to_be_visible()
    expect(page.get_by_role("article")).to_be_focused()
