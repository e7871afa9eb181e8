"""A stage for readers: the service in a process of its own, pages of another site, comments like people's."""

from __future__ import annotations

import random
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from comments_service.article_url import identify
from comments_service.cli import open_database
from comments_service.settings import load_settings
from comments_service.sites import list_sites
from comments_service.storage.database import transaction
from tools.demo_process import free_ports
from tools.host_pages import HostPages, owner_tag, policy_for, serving_host_pages
from tools.service_process import SITE, ServiceProcess
from tools.setup import find_browser
from tools.thread_load import add

REPLIED_SHARE = 0.4  # of all comments: each is the reply of another top-level one
TEXT_CHARACTERS = 300
SILENT = (  # towards the network: figures are of this machine
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
WORDS = re.findall(
    r"\w+",
    """
about above across after again against almost along already also although always among another around asked
away because become before began behind believe below better between bicycles boats both bridge bring build
built buses called cannot careful carry chance change children city clear close coast cold come cost could
council country cross daughter days decide different distance doubt down during each early east enough even
evening every explain family far ferry few find first follow forget found friends from full garden give
going good great ground grow half harbour have hear heavy help here high hold home hope hour house how
however hundred idea instead island just keep kind know large last late least leave left less letter light
like listen little live local long look lost made many map market matter maybe meant meeting might mind miss
money month more morning most move much must name narrow nearly need neighbours never next night noise north
nothing notice number often older once only open other ought outside over own paid paper part people perhaps
person piers place plan plenty price promise public put quarter quiet quite rain rather reach read reason
remember repair report rest return right river road room round said same school sea seems seen several shall
ships short should side simple since slow small some soon south spring stand start station still stone stop
storm street such summer sure take talk tell than thank their then there these they thing think those
thought through tide time today together told tomorrow town traffic train tram true turn under until upon
usual valley very village visit voice wait walk want warm water weather week well west wharf when where
which while whole why wide will wind winter with without wonder words work workers worth would write year
yesterday yet young
""",
)


@dataclass(frozen=True)
class Stage:
    """What measurements need: the service, the pages of another site, and a browser."""

    service: ServiceProcess
    pages: HostPages

    @property
    def service_url(self) -> str:
        """The service's address, as the pages name it."""
        return f"http://localhost:{self.service.port}"

    def add_article(self, path: str, comments: int, *, paragraphs: int = 1, target: str = "") -> str:
        """A page with the owner's line and so many comments, in an element of this id if one is named."""
        tag = owner_tag(self.service_url, site=SITE, target=target)
        address = self.pages.add(path, tag, paragraphs=paragraphs)
        replies = round(comments * REPLIED_SHARE)
        with open_database(load_settings(self.service.environment)):
            site = next(one for one in list_sites() if one.key == SITE)
            article = identify(address, None, origins=[self.pages.origin])
            with transaction() as session:
                roots = add(session, site.id, article, comments - replies, text=words_of)
                for root in roots[:replies]:
                    add(session, site.id, article, 1, below=root, text=words_of)
        return address


@contextmanager
def reading_stage(*, page_size: int, site_options: Sequence[str] = ()) -> Iterator[Stage]:
    """Set it up, with so many top-level comments on a page of a thread; articles may be added at any time."""
    settings = {
        "COMMENTS_THREAD_PAGE_SIZE": str(page_size),
        # One reader in one browser is quicker than the limits allow
        "COMMENTS_SUBMISSION_INTERVAL_SECONDS": "0",
        "COMMENTS_SUBMISSIONS_PER_HOUR": "100000",
        "COMMENTS_LOG_LEVEL": "ERROR",
    }
    with tempfile.TemporaryDirectory(prefix="comments-reading-") as folder, serving_host_pages() as pages:
        service = ServiceProcess(Path(folder), port=free_ports(1)[0], settings=settings)
        service.add_site(pages.origin)
        if site_options and (done := service.run("site", "set", SITE, *site_options)).returncode:
            raise RuntimeError(done.stderr)
        service.start()
        stage = Stage(service, pages)
        pages.policy = policy_for(stage.service_url)
        try:
            yield stage
        finally:
            service.stop()


@contextmanager
def a_browser() -> Iterator[Browser]:
    """The machine's own Chromium, else Playwright's."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_browser(), chromium_sandbox=False, args=[*SILENT]
        )
        try:
            yield browser
        finally:
            browser.close()


def browser_program() -> str:
    """The path of the browser that `a_browser` starts."""
    if named := find_browser():
        return named
    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


def words_of(number: int) -> str:
    """A text of some 300 characters, the same for the same number; it compresses about as prose does."""
    chance = random.Random(number)  # noqa: S311 -- texts, no secrets
    text = ""
    while len(text) < TEXT_CHARACTERS:
        sentence = " ".join(chance.choices(WORDS, k=chance.randint(6, 14)))
        text += f"{sentence.capitalize()}. "
    return text.strip()
