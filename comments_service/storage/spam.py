"""What a site's filter has learned, one row for each slot that a decision touched; and the tickets in use."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from comments_service.storage.base import Base

# One statement each, however many slots; in their order, so that nobody waits in a circle
_READ = {
    "postgresql": text(
        "SELECT slot, weight FROM spam_weight WHERE site_id = :site AND features = :features"
        " AND slot = ANY(CAST(translate(:slots, '[]', '{}') AS integer[]))"
    ),
    "sqlite": text(
        "SELECT slot, weight FROM spam_weight WHERE site_id = :site AND features = :features"
        " AND slot IN (SELECT value FROM json_each(:slots))"
    ),
}
_ADD = {
    "postgresql": text(
        "INSERT INTO spam_weight (site_id, features, slot, weight)"
        " SELECT :site, :features, CAST(pair->>0 AS integer), CAST(pair->>1 AS double precision)"
        " FROM json_array_elements(CAST(:pairs AS json)) AS pair"
        " ON CONFLICT (site_id, features, slot) DO UPDATE SET weight = spam_weight.weight + excluded.weight"
    ),
    "sqlite": text(
        "INSERT INTO spam_weight (site_id, features, slot, weight)"
        " SELECT :site, :features, json_extract(value, '$[0]'), json_extract(value, '$[1]')"
        " FROM json_each(:pairs) WHERE true"
        " ON CONFLICT (site_id, features, slot) DO UPDATE SET weight = weight + excluded.weight"
    ),
}


class SpamWeight(Base):
    """What a site adds to the shared start in one slot: the sum of the steps of its decisions.

    Steps are only ever added, so that those who decide at once lose nothing to each other. Slots mean
    something in one version of the features only (spam/features.py).
    """

    __tablename__ = "spam_weight"
    __table_args__ = {"sqlite_with_rowid": False}

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), primary_key=True)
    features: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    slot: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    weight: Mapped[float]


class SpentTicket(Base):
    """A form's ticket that has brought a comment, by the hash of its nonce; kept while tickets are valid."""

    __tablename__ = "spent_ticket"
    __table_args__ = {"sqlite_with_rowid": False}

    site_id: Mapped[int] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), primary_key=True)
    nonce_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    spent_at: Mapped[datetime] = mapped_column(index=True)


def read_weights(
    session: Session, site_id: int, slots: Collection[int], *, features: int
) -> dict[int, float]:
    """What a site has learned in these slots; those that no decision touched are left out."""
    statement = _READ[session.get_bind().dialect.name]
    asked = {"site": site_id, "features": features, "slots": json.dumps(list(slots))}
    return dict(session.execute(statement, asked).all())


def add_weights(session: Session, site_id: int, moves: Mapping[int, float], *, features: int) -> None:
    """Move a site's weights by so much; the rows stay locked until the transaction ends."""
    statement = _ADD[session.get_bind().dialect.name]
    moved = {"site": site_id, "features": features, "pairs": json.dumps(sorted(moves.items()))}
    session.execute(statement, moved)
