"""A name that passes for one of the house lets a comment wait: letters that look alike are no disguise."""

from __future__ import annotations

import pytest
from flask import Flask

from comments_service.lookalikes import looks_like
from comments_service.people.accounts import remove_person
from comments_service.storage.database import db
from comments_service.storage.models import Comment
from comments_service.submit import submit
from comments_service.vocabulary import Role, SiteView
from tests.conftest import NOW
from tests.factories import a_moderator, a_site, a_submission, wiring_of

OPEN = {"hold_all": False, "hold_newcomers": False}

DISGUISED = [
    ("Olga Berg", "olga berg"),
    ("Olga Berg", "OLGA BERG"),
    ("Olga Berg", "Olga  Berg."),
    ("Olga Berg", "ОIga Berg"),  # a Cyrillic O, and a capital i
    ("Olga Berg", "0lga Berg"),
    ("Olga Berg", "O\u200blga Berg"),
    ("Olga Berg", "\uff2flga Berg"),  # full width
    ("Olga Berg", "\U0001d40elga Berg"),  # mathematical
    ("Martin", "Rnartin"),
    ("Will", "WiII"),
    ("Иван", "Ивaн"),  # a Latin a
    ("admin", "АDМІN"),  # all but two Cyrillic
]
OTHERS = [
    ("Olga Berg", "Olga"),
    ("Olga Berg", "Olga Berger"),
    ("Jörg", "Jorg"),
    ("Anna", "Ana"),
    ("李明", "李朋"),
    ("Иван", "Ирина"),
    ("محمد", "محمود"),
    ("Olga", "…"),
]


@pytest.mark.parametrize(("name", "other"), DISGUISED)
def test_names_that_look_alike_are_known_as_such(name: str, other: str) -> None:
    assert looks_like(other, [name])
    assert looks_like(name, [other])


@pytest.mark.parametrize(("name", "other"), OTHERS)
def test_names_that_look_otherwise_are_others(name: str, other: str) -> None:
    assert not looks_like(other, [name])


def fate(app: Flask, site: SiteView, name: str) -> tuple[str, list[str]]:
    """What becomes of a comment with this name, and why."""
    parts = wiring_of(app)
    with app.app_context():
        sent = a_submission(site, name=name, text=f"Signed: {name}")
        receipt = submit(sent, settings=parts.settings, keys=parts.keys, now=NOW)
        row = db.session.get_one(Comment, receipt.comment_id)
        found = row.status, [reason["code"] for reason in row.verdict["reasons"]]
        db.session.rollback()
        return found


@pytest.mark.parametrize(
    "name", ["Оlgа Berg", "Evеrywhere Eva", "The Harbour News", "ADMlN", "M0derator Tom", "Tom, moderator"]
)
def test_a_name_of_the_house_waits(app: Flask, name: str) -> None:
    site = a_site(app, name="The Harbour News", rules=OPEN)
    a_moderator(app, name="Olga Berg", sites=[site], role=Role.VIEWER)
    a_moderator(app, name="Everywhere Eva", role=Role.MODERATOR)
    assert fate(app, site, name) == ("pending", ["imitates-staff"])


@pytest.mark.parametrize(
    "name", ["Olga", "Tom", "Elsewhere Emil", "Modesta Ratorini", "新聞読者", "Demo", ""]
)
def test_every_other_name_is_taken_as_it_is(app: Flask, name: str) -> None:
    site = a_site(app, name="The Harbour News", rules=OPEN, name_required=False)
    other = a_site(app, key="other")
    a_moderator(app, name="Olga Berg", sites=[site])
    a_moderator(app, name="Elsewhere Emil", sites=[other])
    assert fate(app, site, name) == ("approved", ["no-rule"])


def test_somebody_who_left_the_house_has_the_name_for_everybody(app: Flask) -> None:
    site = a_site(app, rules=OPEN)
    a_moderator(app, name="mo")
    person = a_moderator(app, name="Olga Berg", sites=[site])
    assert fate(app, site, "olga berg")[0] == "pending"
    with app.app_context():
        remove_person(person.id, by=None, now=NOW)
    assert fate(app, site, "Olga Berg")[0] == "approved"


def test_a_site_may_let_such_names_pass(app: Flask) -> None:
    site = a_site(app, rules=OPEN | {"hold_imitations": False})
    assert fate(app, site, "Admin") == ("approved", ["no-rule"])
