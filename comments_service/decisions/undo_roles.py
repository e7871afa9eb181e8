"""Takes back what was changed about who may do what: roles given and withdrawn."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from comments_service.decisions.act import Act, Late, Undone, Why
from comments_service.decisions.undo_comments import Undoer
from comments_service.errors import NotAllowed, PersonNotFound
from comments_service.people.roles import GIVEN, WITHDRAWN, put_role, require_owner, role_at
from comments_service.people.rows import get_person, lock_people
from comments_service.storage.journal import JournalRow
from comments_service.vocabulary import Role


def take_back(session: Session, rows: Sequence[JournalRow], act: Act) -> Undone:
    """Give people the roles they had before these rows, unless they were given others since.

    Raises: NotAllowed, also for the own role; LastOwner.
    """
    lock_people(session)
    count, late = 0, []
    for row in reversed(rows):
        require_owner(session, act.by, row.site_id)
        number, role, earlier = (row.details.get(name) for name in ("moderator", "role", "before"))
        try:
            person = get_person(session, number or 0)
        except PersonNotFound:
            late.append(Late(0, Why.ELSEWHERE))
            continue
        if act.by is not None and person.id == act.by.id:
            raise NotAllowed
        if role_at(session, person.id, row.site_id) != role:
            late.append(Late(0, Why.ELSEWHERE))
            continue
        wanted = Role(earlier) if earlier else None
        put_role(session, person, wanted, row.site_id, by=act.by, now=act.now, batch=act.batch, undoes=row.id)
        count += 1
    return Undone(None, count, (), tuple(late))


UNDOERS: dict[str, Undoer] = dict.fromkeys((GIVEN, WITHDRAWN), take_back)
