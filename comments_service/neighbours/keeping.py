"""The secrets that neighbours know a site by, and how they fare: kept, opened, moved to another key."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from comments_service.errors import KeyRefused
from comments_service.neighbours.heard import UNASKED, Heard
from comments_service.options import Neighbour, Options
from comments_service.privacy import Keyring
from comments_service.storage.models import Site
from comments_service.storage.neighbours import NeighbourState
from comments_service.storage.threads import insert_if_absent


def sealed_for(site_id: int, kind: str) -> str:
    """What a secret is sealed for: its column, its site and its neighbour, so that it opens nowhere else."""
    return f"neighbour.secret_sealed/{site_id}/{kind}"


def keep_secret(session: Session, site_id: int, who: Neighbour, secret: str, keys: Keyring | None) -> None:
    """Keep a secret in the place of the one before.

    Raises: ValueError where there are no keys: it is kept sealed or not at all.
    """
    if keys is None:
        raise ValueError("a secret without a key to seal it")
    new = {"site_id": site_id, "kind": str(who), "failures": 0, "why": ""}
    session.execute(insert_if_absent(session, NeighbourState, new))
    row = session.get_one(NeighbourState, (site_id, str(who)), with_for_update=True)
    row.secret_sealed = keys.seal(secret, column=sealed_for(site_id, who))
    row.failures, row.failed_at, row.why = 0, None, ""


def forget_secret(session: Session, site_id: int, who: Neighbour) -> None:
    """Forget a secret, and how its neighbour fared."""
    session.execute(
        delete(NeighbourState).where(NeighbourState.site_id == site_id, NeighbourState.kind == str(who))
    )


def secret_of(session: Session, site_id: int, who: Neighbour, keys: Keyring) -> str | None:
    """The secret, for the one who calls the neighbour. None where there is none that opens."""
    row = session.get(NeighbourState, (site_id, str(who)))
    if row is None or row.secret_sealed is None:
        return None
    try:
        return keys.open(row.secret_sealed, column=sealed_for(site_id, who))
    except KeyRefused:
        return None


def secrets_kept(session: Session, site_id: int) -> frozenset[Neighbour]:
    """For whom there is a secret."""
    kept = select(NeighbourState.kind).where(
        NeighbourState.site_id == site_id, NeighbourState.secret_sealed.is_not(None)
    )
    return frozenset(Neighbour(kind) for kind in session.scalars(kept))


def is_any_taught(session: Session) -> bool:
    """Whether some site has a neighbour that learns from decisions."""
    return any(
        Neighbour.AKISMET in Options.of(stored).neighbours for stored in session.scalars(select(Site.options))
    )


def states_of(session: Session, site_ids: Iterable[int]) -> dict[tuple[int, Neighbour], NeighbourState]:
    """How the neighbours of these sites fare."""
    rows = session.scalars(select(NeighbourState).where(NeighbourState.site_id.in_(list(site_ids))))
    return {(row.site_id, Neighbour(row.kind)): row for row in rows}


def note(session: Session, site_id: int, heard: Heard, *, now: datetime) -> None:
    """Count the comment that has to wait for a neighbour; begin anew once that one answers again."""
    for said in heard.said:
        mine = update(NeighbourState).where(
            NeighbourState.site_id == site_id, NeighbourState.kind == str(said.who)
        )
        if said.why is None:
            mine = mine.where(NeighbourState.failures > 0).values(failures=0, failed_at=None, why="")
        else:
            fresh = {} if said.why in UNASKED else {"failed_at": now, "why": str(said.why)}
            mine = mine.values(failures=NeighbourState.failures + 1, **fresh)
        session.execute(mine.execution_options(synchronize_session=False))
