"""What browser tests of the queue share: comments that wait, the way in, and where the keyboard is."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select, update

from comments_service.storage.database import db, transaction
from comments_service.storage.journal import DECIDED, JournalRow
from comments_service.storage.models import Comment
from tests.factories import PASSWORD, StoredComment, a_comment, a_moderator
from tests.servers import LiveService


def a_pending(
    service: LiveService, *, minutes_ago: int = 0, status: str = "pending", **fields: str
) -> StoredComment:
    """One comment below the host page's article."""
    url = f"{service.site.origins[0]}/article"
    now = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    return a_comment(service.app, service.site, status=status, url=url, now=now, **fields)


def some(service: LiveService, *names: str, status: str = "pending") -> list[StoredComment]:
    """Comments of these people, shown in this order."""
    return [a_pending(service, minutes_ago=age, status=status, name=name) for age, name in enumerate(names)]


def caught(service: LiveService, *names: str) -> list[StoredComment]:
    """Comments of these people that the service took for spam by itself, shown in this order."""
    comments = some(service, *names, status="spam")
    ids = [comment.id for comment in comments]
    with service.app.app_context(), transaction() as session:
        session.execute(update(Comment).where(Comment.id.in_(ids)).values(is_quietly_declined=True))
    return comments


def sign_in(page: Page, service: LiveService, *, query: str = "") -> None:
    """Come in, and open the queue. `test_pages_browser.py` looks at the form, here it is sent unseen."""
    door, visitor = f"{service.url}/login", page.context.request
    token = re.search(r'name="csrf_token" value="([^"]+)"', visitor.get(door).text())
    assert token
    fields: dict[str, str | float | bool] = {"csrf_token": token[1], "password": PASSWORD}
    fields["name"] = a_moderator(service.app).name
    visitor.post(door, form=fields, headers={"Origin": service.url}, max_redirects=0)
    page.goto(f"{service.url}/queue{query}")


def row_of(page: Page, name: str) -> Locator:
    """The row of this person's comment, shown or not."""
    return page.locator(".row").filter(has=page.get_by_role("heading", name=name, exact=True))


def expect_focus(page: Page, name: str) -> None:
    """The keyboard is on the comment of this person."""
    expect(page.get_by_role("article", name=name, exact=True)).to_be_focused()


def expect_told(page: Page, text: str) -> None:
    """What those hear who cannot see."""
    expect(page.locator("[data-announcer]")).to_have_text(text)


def statuses(service: LiveService, *comments: StoredComment) -> list[str]:
    """Where these stand now."""
    with service.app.app_context():
        rows = {row.id: row.status for row in db.session.execute(select(Comment.id, Comment.status))}
        db.session.rollback()
        return [rows[comment.id] for comment in comments]


def decisions(service: LiveService) -> list[tuple[int | None, str | None]]:
    """Which comment a moderator brought where, in order."""
    made = select(JournalRow.comment_id, JournalRow.to_status).where(
        JournalRow.action == DECIDED, JournalRow.moderator_id.is_not(None)
    )
    with service.app.app_context():
        rows = [(row.comment_id, row.to_status) for row in db.session.execute(made.order_by(JournalRow.id))]
        db.session.rollback()
        return rows
