"""Readers take part by a click: votes that are shown at once, and reports of what they object to."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser import Console, assert_accessible
from tests.doors import change_site
from tests.servers import HostPage, LiveService, wait_until
from tests.test_own_comments import OPEN
from tests.test_reports import reports
from tests.test_votes import counted
from tests.test_widget import (
    button,
    comment,
    kept,
    on,
    open_article,
    post,
    service,
    settings_of_service,
    write,
)

__all__ = ["service", "settings_of_service"]  # fixtures
pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def votes_on(page: Page, name: str) -> Locator:
    """The buttons below one comment."""
    return page.get_by_role("group", name=f"Votes on {name}’s comment")


def test_a_reader_votes_changes_the_vote_and_takes_it_back(
    page: Page, console: Console, service: LiveService, host_page: HostPage
) -> None:
    change_site(service.app, service.site, options={"votes": "both"}, rules=OPEN)
    first = on(service, host_page, name="Ana", text="First.")
    on(service, host_page, name="Ben", text="Second.")
    open_article(page, host_page)
    up = votes_on(page, "Ana").get_by_role("button", name="Vote for")
    down = votes_on(page, "Ana").get_by_role("button", name="Vote against")
    expect(up).to_have_accessible_name("Vote for Ana’s comment: 0 votes")
    expect(up).to_have_attribute("aria-pressed", "false")
    up.press("Enter")
    expect(up).to_have_accessible_name("Vote for Ana’s comment: 1 vote")
    expect(up).to_have_attribute("aria-pressed", "true")
    expect(up).to_be_focused()
    assert_accessible(page)
    box = up.bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= 44
    page.reload()  # this tab remembers
    expect(up).to_have_attribute("aria-pressed", "true")
    down.click()
    expect(down).to_have_accessible_name("Vote against Ana’s comment: 1 vote")
    expect(up).to_have_accessible_name("Vote for Ana’s comment: 0 votes")
    down.click()
    expect(down).to_have_accessible_name("Vote against Ana’s comment: 0 votes")
    assert "votes" not in kept(page, "localStorage")
    up.dblclick()  # the last wish counts, however quick
    up.click()
    expect(up).to_have_accessible_name("Vote for Ana’s comment: 1 vote")
    with page.expect_response(lambda answer: "sort=top" in answer.url):
        page.get_by_role("combobox", name="Order").select_option("Top first")
    expect(page.locator(".comments__list[aria-busy]")).to_have_count(0)
    expect(page.get_by_role("article").first).to_contain_text("First.")
    wait_until(lambda: counted(service.app, first.id) == (1, 0, 1), "the last wish")
    write(page, "An own one.", name="Cleo")
    post(page)
    mine = comment(page, "An own one.").get_by_role("button", name="Vote for")
    mine.click()
    told = comment(page, "An own one.").get_by_text("This comment is your own, so you cannot vote on it.")
    expect(told).to_be_visible()
    expect(mine).to_have_attribute("aria-pressed", "false")
    assert_accessible(page)
    button_reply = comment(page, "First.").get_by_role("button", name="Reply to Ana")
    button_reply.click()
    button(page, "Cancel reply").click()
    expect(button_reply).to_be_focused()
    assert console.unexpected == []


def test_a_vote_that_does_not_arrive_is_taken_from_the_screen_and_told(
    page: Page, console: Console, service: LiveService, host_page: HostPage
) -> None:
    change_site(service.app, service.site, options={"votes": "up"})
    ana = on(service, host_page, name="Ana", text="First.")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    def fail(route: Route) -> None:
        route.abort()

    page.route("**/vote", fail)
    open_article(page, host_page)
    up = votes_on(page, "Ana").get_by_role("button")
    expect(up).to_have_count(1)
    up.click()
    expect(votes_on(page, "Ana")).to_contain_text("Your vote could not be counted. Please try again.")
    expect(up).to_have_attribute("aria-pressed", "false")
    expect(up).to_have_accessible_name("Vote for Ana’s comment: 0 votes")
    page.unroute("**/vote")
    up.click()
    expect(up).to_have_attribute("aria-pressed", "true")
    expect(votes_on(page, "Ana")).not_to_contain_text("could not")
    wait_until(
        lambda: counted(service.app, ana.id) == (1, 0, 1), "the vote, which is shown before it arrives"
    )
    assert any("/part." in url for url in asked)
    change_site(service.app, service.site, options={})
    asked.clear()
    open_article(page, host_page)
    expect(votes_on(page, "Ana")).to_have_count(0)
    assert not any("/part." in url for url in asked)
    assert [one for one in console.unexpected if "net::ERR_FAILED" not in one] == []


def test_a_reader_reports_a_comment_by_keys_and_is_thanked(
    page: Page, console: Console, service: LiveService, host_page: HostPage
) -> None:
    ana = on(service, host_page, name="Ana", text="First.")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    open_article(page, host_page)
    assert not any("/part." in url for url in asked)
    opener = button(page, "Report the comment by Ana")
    opener.press("Enter")
    form = page.get_by_role("form", name="Report the comment by Ana")
    first = form.get_by_role("radio", name="It is advertising or spam")
    expect(first).to_be_focused()
    expect(opener).to_have_attribute("aria-expanded", "true")
    assert_accessible(page)
    first.press("Escape")
    expect(form).to_have_count(0)
    expect(opener).to_be_focused()
    opener.click()
    form.get_by_role("textbox").fill("He calls me names.")
    form.get_by_role("button", name="Send the report").click()
    expect(form.get_by_role("alert")).to_have_text("Please choose what is wrong with the comment.")
    expect(first).to_be_focused()
    form.get_by_role("radio", name="It insults or threatens somebody").check()
    page.route("**/reports", lambda route: route.abort())
    form.get_by_role("textbox").press("Control+Enter")
    expect(form.get_by_role("alert")).to_contain_text("could not be reached. Your text is still here")
    page.unroute("**/reports")
    form.get_by_role("textbox").press("Control+Enter")
    expect(form).to_have_count(0)
    done = button(page, "Reported")
    expect(done).to_be_focused()
    thanks = "Thank you. The moderators will look at this comment."
    expect(page.get_by_role("article").get_by_text(thanks)).to_be_visible()
    expect(page.get_by_role("status").filter(has_text=thanks)).to_have_count(1)
    assert_accessible(page)
    done.press("Enter")
    expect(form).to_have_count(0)
    assert [(one.comment_id, one.reason, one.note) for one in reports(service.app)] == [
        (ana.id, "abuse", "He calls me names.")
    ]
    change_site(service.app, service.site, options={"reports": False})
    open_article(page, host_page)
    expect(comment(page, "First.")).to_be_visible()
    expect(opener).to_have_count(0)
    assert [one for one in console.unexpected if "net::ERR_FAILED" not in one] == []


def test_where_no_script_comes_the_report_has_a_page_of_its_own(
    page: Page, service: LiveService, host_page: HostPage
) -> None:
    ana = on(service, host_page, name="Ana", text="First.")
    page.route("**/part.*.js", lambda route: route.abort())
    open_article(page, host_page)
    with page.expect_popup() as opened:
        button(page, "Report the comment by Ana").click()
    plain = opened.value
    expect(plain.get_by_role("heading", level=1)).to_have_text("Report the comment by Ana")
    assert_accessible(plain)
    plain.get_by_role("button", name="Send the report").click()
    expect(plain.get_by_role("alert")).to_have_text("Please choose what is wrong with the comment.")
    plain.get_by_role("radio", name="Something else").check()
    plain.get_by_role("button", name="Send the report").click()
    expect(plain.get_by_role("status")).to_contain_text("Thank you.")
    assert_accessible(plain)
    assert [one.comment_id for one in reports(service.app)] == [ana.id]
