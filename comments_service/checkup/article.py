"""Which article the page leads to: its id, its addresses, its title, and the thread these find."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from urllib.parse import parse_qs, quote, urlsplit

from comments_service.article_url import identify
from comments_service.checkup.findings import Finding, Visit, attention, bad, good
from comments_service.checkup.host_page import Tag
from comments_service.checkup.scripts import ours, tag_line, tags_of
from comments_service.errors import ArticleRefused
from comments_service.sites import noscript_line
from comments_service.storage.database import reading
from comments_service.storage.threads import find_thread
from comments_service.vocabulary import ArticleRef

LEFTOVERS = ("{{", "{%", "<%", "<?", "${", "[object ")
NO_VALUES = frozenset({"null", "undefined", "NaN", "None"})


@dataclass(frozen=True)
class Leads:
    """Where one address leads; `why` is empty when it leads to an article of the site."""

    article: ArticleRef | None
    why: str = ""


def article_findings(visit: Visit) -> Iterator[Finding]:
    """What is to say of the article, and of the thread it has."""
    tag = next((tag for tag in tags_of(visit) if not tag.inside), None)
    yield from _of_id(visit, tag)
    address = visit.fetched.url
    if tag and (given := tag.get("data-article-url")) is not None:
        yield from _of_given_address(visit, tag, given)
        address = given if _leads(visit, given).article else address
    else:
        canonical = _canonical(visit)
        yield from _of_canonical(visit, canonical)
        address = canonical if canonical and _leads(visit, canonical).article else address
    yield from _of_title(visit, tag)
    yield from _of_thread(visit, tag, address)


def plain_findings(visit: Visit) -> Iterator[Finding]:
    """Whether readers without JavaScript find their way."""
    tag = next(iter(tags_of(visit)), None)
    explicit_id = _id_of(visit, tag)
    line = noscript_line(visit.site.key, public_url=visit.service, article_id=explicit_id)
    links = [tag for tag in visit.page.anchors if _leads_to_thread(visit, tag)]
    if not links:
        yield attention("noscript-missing", line=line)
        return
    address = urlsplit(visit.page.resolved(links[0].get("href") or ""))
    query = parse_qs(address.query)
    if explicit_id and query.get("id") != [explicit_id]:
        yield attention("noscript-id", found=links[0].written, line=line)
    elif "url" not in query and links[0].get("referrerpolicy") != "no-referrer-when-downgrade":
        yield attention("noscript-referrer", found=links[0].written, line=line)
    else:
        yield good("noscript")


def count_findings(visit: Visit) -> Iterator[Finding]:
    """Whether links that shall show a count can."""
    links = [tag for tag in visit.page.anchors if "data-comments-count" in tag.attributes and not tag.inside]
    if not links:
        return
    files = {ours(visit.page, visit.service, tag) for tag in visit.page.scripts if not tag.inside} - {""}
    if not files:
        script = f'<script src="{visit.service}/count.js" data-site="{visit.site.key}" async></script>'
        yield bad("counts-script", found=links[0].written, line=script)
    refused = [tag for tag in links if not _leads(visit, visit.page.resolved(tag.get("href") or "")).article]
    if refused:
        yield attention("counts-refused", found=refused[0].written)
    elif files:
        yield good("counts", count=len(links))
    if files == {"embed.js", "count.js"}:
        twice = next(tag for tag in visit.page.scripts if ours(visit.page, visit.service, tag) == "count.js")
        yield attention("counts-twice", found=twice.written)


def _of_id(visit: Visit, tag: Tag | None) -> Iterator[Finding]:
    given = tag.get("data-article-id") if tag else None
    if tag is None or given is None:
        return
    if _id_of(visit, tag) is None:
        yield bad(
            "id-refused", found=tag.written, line=tag_line(visit, tag, without="data-article-id"), id=given
        )
    else:
        yield good("id", id=given)


def _of_given_address(visit: Visit, tag: Tag, given: str) -> Iterator[Finding]:
    leads, line = _leads(visit, given), tag_line(visit, tag, without="data-article-url")
    if leads.article is None:
        yield bad("article-url-refused", found=tag.written, line=line, url=given, why=leads.why)
    elif _is_another(visit, leads.article):
        yield attention("article-url-other", found=tag.written, line=line, url=given)
    else:
        yield good("article-url", url=given)


def _of_canonical(visit: Visit, canonical: str) -> Iterator[Finding]:
    written = visit.page.canonicals[0].written if visit.page.canonicals else ""
    line = f'<link rel="canonical" href="{escape(visit.fetched.url)}">'
    if not canonical:
        yield attention("canonical-missing", line=line)
        return
    if len({tag.get("href") for tag in visit.page.canonicals}) > 1:
        yield attention("canonical-several", found=visit.page.canonicals[1].written)
    leads = _leads(visit, canonical)
    if leads.article is None:
        yield attention("canonical-refused", found=written, line=line, url=canonical, why=leads.why)
    elif _is_another(visit, leads.article):
        yield attention("canonical-other", found=written, line=line, url=canonical)
    else:
        yield good("canonical", url=canonical)


def _of_title(visit: Visit, tag: Tag | None) -> Iterator[Finding]:
    title = tag.get("data-article-title") if tag else None
    if tag and title is not None and (title.strip() in NO_VALUES or any(left in title for left in LEFTOVERS)):
        line = tag_line(visit, tag, without="data-article-title")
        yield bad("title-unfilled", found=tag.written, line=line, title=title)


def _of_thread(visit: Visit, tag: Tag | None, address: str) -> Iterator[Finding]:
    try:
        article = identify(address, _id_of(visit, tag), origins=visit.site.origins)
    except ArticleRefused as error:
        yield bad("thread-refused", url=address, why=error.detail)
        return
    with reading() as session:
        thread = find_thread(session, visit.site.id, article)
        count, is_open = (thread.approved_count, thread.is_open) if thread else (None, True)
        title = thread.title or thread.url if thread else ""
    if count is None:
        yield good("thread-new", url=article.explicit_id or article.url)
    else:
        yield good("thread", count=count, title=title)
    if not (is_open and visit.site.is_open):
        yield attention("thread-closed" if visit.site.is_open else "site-closed")


def _canonical(visit: Visit) -> str:
    """The canonical address as the script reads it: the first link, in full."""
    href = visit.page.canonicals[0].get("href") if visit.page.canonicals else None
    return visit.page.resolved(href) if href else ""


def _id_of(visit: Visit, tag: Tag | None) -> str | None:
    """The article's id, if the tag has one that can be."""
    given = tag.get("data-article-id") if tag else None
    if given is None:
        return None
    try:
        return identify(visit.fetched.url, given, origins=visit.site.origins).explicit_id
    except ArticleRefused:
        return None


def _leads(visit: Visit, address: str) -> Leads:
    try:
        return Leads(identify(address, None, origins=visit.site.origins))
    except ArticleRefused as error:
        return Leads(None, error.detail)


def _is_another(visit: Visit, article: ArticleRef) -> bool:
    here = _leads(visit, visit.fetched.url).article
    return here is not None and here.normalised_url != article.normalised_url


def _leads_to_thread(visit: Visit, tag: Tag) -> bool:
    address = visit.page.resolved(tag.get("href") or "").partition("#")[0].partition("?")[0]
    return address == f"{visit.service}/sites/{quote(visit.site.key)}/thread"
