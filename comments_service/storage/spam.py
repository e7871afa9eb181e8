"""The table of what a site's filter has learned: one row for each slot that a decision touched."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from sqlalchemy import ForeignKey, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from comments_service.storage.base import Base

# One statement each, however many slots; in their order, so that nobody waits in a circle
_READ = {
    "postgresql": text(
        "SELECT slot, weight FROM spam_weight WHERE site_id = :site"
        " AND slot = ANY(CAST(translate(:slots, '[]', '{}') AS integer[]))"
    ),
    "sqlite": text(
        "SELECT slot, weight FROM spam_weight WHERE site_id = :site"
        " AND slot IN (SELECT value FROM json_each(:slots))"
    ),
}
_ADD = {
    "postgresql": text(
        "INSERT INTO spam_weight (site_id, slot, weight)"
        " SELECT :site, CAST(pair->>0 AS integer), CAST(pair->>1 AS double precision)"
        " FROM json_array_elements(CAST(:pairs AS json)) AS pair"
        " ON CONFLICT (site_id, slot) DO UPDATE SET weight = spam_weight.weight + excluded.weight"
    ),
    "sqlite": text(
        "INSERT INTO spam_weight (site_id, slot, weight)"
        " SELECT :site, json_extract(value, '$[0]'), json_extract(value, '$[1]')"
        " FROM json_each(:pairs) WHERE true"
        " ON CONFLICT (site_id, slot) DO UPDATE SET weight = weight + excluded.weight"
    ),
}


class SpamWeight(Base):
    """What a site adds to the shared start in one slot: the sum of the steps of its decisions.

    Steps are only ever added, so that those who decide at once lose nothing to each other.
    """

    __tablename__ = "spam_weight"
    __table_args__ = {"sqlite_with_rowid": False}

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), primary_key=True)
    slot: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    weight: Mapped[float]


def read_weights(session: Session, site_id: int, slots: Collection[int]) -> dict[int, float]:
    """What a site has learned in these slots; those that no decision touched are left out."""
    statement = _READ[session.get_bind().dialect.name]
    rows = session.execute(statement, {"site": site_id, "slots": json.dumps(sorted(slots))})
    return {row.slot: row.weight for row in rows}


def add_weights(session: Session, site_id: int, moves: Mapping[int, float]) -> None:
    """Move a site's weights by so much; the rows stay locked until the transaction ends."""
    statement = _ADD[session.get_bind().dialect.name]
    session.execute(statement, {"site": site_id, "pairs": json.dumps(sorted(moves.items()))})
