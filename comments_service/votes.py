"""Readers vote on comments without an account: one vote each, as network and receipt tell them apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from comments_service import tokens
from comments_service.decisions.showing import shows_otherwise
from comments_service.errors import EnoughVotes, OwnVote, ReceiptRefused, VotesOff
from comments_service.opinions import Choice
from comments_service.options import Options, Voting
from comments_service.privacy import Keyring
from comments_service.storage.database import transaction
from comments_service.storage.models import Comment, Site, ThreadRoot
from comments_service.storage.shown import lock_shown
from comments_service.storage.votes import Vote
from comments_service.vocabulary import Votes

VOTERS_OF_NETWORK = 3  # on one comment, however many receipts they have: a household, not a campaign
VALUES = {Choice.UP: 1, Choice.DOWN: -1, Choice.NONE: 0}


@dataclass(frozen=True)
class Ballot:
    """What a reader thinks of a comment. A `receipt` of the site tells two readers of a network apart."""

    comment_id: int
    choice: Choice
    network: str
    receipt: str | None = None


def cast(ballot: Ballot, *, keys: Keyring, now: datetime) -> Votes:
    """Count a vote, change it, or take it back; whatever is sent twice is counted once. The counts after it.

    Raises: CommentNotFound for what readers do not see; VotesOff, OwnVote, EnoughVotes.
    """
    with transaction() as session:
        comment, site = lock_shown(session, ballot.comment_id)
        _refuse_closed(Options.of(site.options), ballot.choice)
        author = _author(session, site, ballot.receipt, keys)
        if author is not None and author == (comment.proven_root_id or comment.id):
            raise OwnVote
        before = _replaced(session, comment, _Voter.of(ballot, author, keys), VALUES[ballot.choice], now)
        _count(session, comment, before, VALUES[ballot.choice])
        return Votes(comment.up_count, comment.down_count)


@dataclass(frozen=True)
class _Voter:
    """A reader, as far as one comment may know: by hashes under each key, the newest first."""

    hashes: tuple[bytes, ...]
    networks: tuple[bytes, ...]

    @classmethod
    def of(cls, ballot: Ballot, author: int | None, keys: Keyring) -> _Voter:
        """Whoever sent this. The comment's id is hashed along, so that no two comments share a hash."""
        network = f"{ballot.comment_id}:{ballot.network}"
        voter = network if author is None else f"{network}:{author}"
        return cls(keys.digests("voter", voter.encode()), keys.digests("voters", network.encode()))


def _refuse_closed(options: Options, choice: Choice) -> None:
    is_taken = options.votes == Voting.BOTH if choice is Choice.DOWN else options.has_votes
    if not is_taken:
        raise VotesOff


def _author(session: Session, site: Site, receipt: str | None, keys: Keyring) -> int | None:
    """The first of the comments that whoever holds this receipt proved; None where it proves nothing here."""
    if receipt is None:
        return None
    try:
        site_key, number = tokens.read_receipt(keys, receipt)
    except ReceiptRefused:
        return None
    columns = select(Comment.id, Comment.proven_root_id)
    mine = columns.where(Comment.id == number, Comment.site_id == site.id, Comment.is_purged.is_(False))
    row = session.execute(mine).first() if site_key == site.key else None
    return (row.proven_root_id or row.id) if row is not None else None


def _replaced(session: Session, comment: Comment, voter: _Voter, value: int, now: datetime) -> int:
    """Put the vote in the place of the one before, and return that one; 0 is none."""
    near = select(Vote).where(Vote.comment_id == comment.id, Vote.network.in_(voter.networks))
    votes = session.scalars(near).all()
    mine = next((vote for vote in votes if vote.voter in voter.hashes), None)
    before = mine.value if mine is not None else 0
    if mine is not None and value:
        mine.value = value
    elif mine is not None:
        session.delete(mine)
    elif value:
        if len(votes) >= VOTERS_OF_NETWORK:
            raise EnoughVotes
        hashes = {"voter": voter.hashes[0], "network": voter.networks[0]}
        session.add(Vote(comment_id=comment.id, value=value, cast_at=now, **hashes))
    return before


def _count(session: Session, comment: Comment, before: int, after: int) -> None:
    """Carry a vote into what readers see: the counts, the place by votes, the thread's version."""
    if before == after:
        return
    comment.up_count += (after > 0) - (before > 0)
    comment.down_count += (after < 0) - (before < 0)
    session.flush()
    shows_otherwise(session, {comment.thread_id: 0})
    place = update(ThreadRoot).where(ThreadRoot.comment_id == comment.id)
    session.execute(place.values(rank=comment.down_count - comment.up_count))
