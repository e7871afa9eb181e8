"""Asks the neighbours of a site what they think of a comment: at once, in bounded time, in no transaction.

Whoever does not answer is noted as such; what that means is the judge's to say.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from comments_service.neighbours.akismet import Akismet
from comments_service.neighbours.circuit import Circuit, Places, Turns
from comments_service.neighbours.heard import Heard, Said, Trouble, Unheard
from comments_service.neighbours.keeping import secret_of
from comments_service.neighbours.question import Question
from comments_service.neighbours.webhook import Service
from comments_service.options import Neighbour
from comments_service.privacy import Keyring
from comments_service.settings import Settings
from comments_service.vocabulary import SiteView

CIRCUIT, PLACES, TURNS = Circuit(), Places(), Turns()
Asked = Akismet | Service | Said  # the last for one that cannot be asked
log = structlog.get_logger(__name__)


@contextmanager
def turn_of(network_hash: bytes, settings: Settings) -> Iterator[bool]:
    """Wait for whatever came before from the same network; whether anybody may be asked about the next.

    Half of the threads may be at this, no more: readers are served by the others.
    """
    with PLACES.one_of(max(1, settings.threads // 2)) as has_place:
        if not has_place:
            yield False
            return
        with TURNS.of(network_hash, at_most_seconds=settings.neighbour_seconds) as has_turn:
            yield has_turn


def neighbours_of(
    session: Session, site: SiteView, *, keys: Keyring, settings: Settings
) -> tuple[Asked, ...]:
    """Whom the site asks, with their secrets opened."""
    return tuple(_neighbour(session, site, who, keys, settings) for who in site.options.neighbours)


def crowded(site: SiteView) -> Heard:
    """What is heard where nobody can be asked now."""
    return Heard(tuple(Said(who, why=Trouble.CROWDED) for who in site.options.neighbours))


def ask(question: Question, neighbours: Sequence[Asked], *, settings: Settings, now: datetime) -> Heard:
    """Ask them all at once; no answer takes longer than the settings allow."""
    said: dict[Neighbour, Said] = {}

    def ask_one(one: Asked) -> None:
        said[one.who] = _ask(one, question, settings, now)

    threads = [threading.Thread(target=ask_one, args=(one,), daemon=True) for one in neighbours[1:]]
    for thread in threads:
        thread.start()
    for one in neighbours[:1]:
        ask_one(one)
    for thread in threads:  # each ends in time by itself: its door sees to that
        thread.join()
    return Heard(tuple(said.get(one.who, Said(one.who, why=Trouble.BROKEN)) for one in neighbours))


def _neighbour(session: Session, site: SiteView, who: Neighbour, keys: Keyring, settings: Settings) -> Asked:
    secret, options = secret_of(session, site.id, who, keys), site.options
    if secret is None:
        return Said(who, why=Trouble.SECRET)
    if who is Neighbour.AKISMET:
        return Akismet(secret, options.akismet_email, settings)
    return Service(options.service_url, options.service_name, secret, options.service_email, settings)


def _ask(one: Asked, question: Question, settings: Settings, now: datetime) -> Said:
    if isinstance(one, Said):
        return one
    if not CIRCUIT.lets(one.endpoint, now=now):
        return Said(one.who, why=Trouble.RESTS)
    try:
        said = one.ask(question, seconds=settings.neighbour_seconds)
    except Unheard as error:
        rests = False
        if error.why is Trouble.KEY:  # one site's wrong key is no reason to let all the others wait
            CIRCUIT.answered(one.endpoint)
        else:
            rests = CIRCUIT.failed(one.endpoint, now=now)
        log.warning(
            "neighbour_away",
            site=question.site.key,
            neighbour=str(one.who),
            why=str(error.why),
            rests=rests,
        )
        return Said(one.who, why=error.why)
    CIRCUIT.answered(one.endpoint)
    return said
