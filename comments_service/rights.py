"""May this person do this here? One question, asked by every verb and by every read for moderators."""

from __future__ import annotations

from comments_service.errors import CommentNotFound, CommentsError, NotAllowed
from comments_service.vocabulary import ModeratorView, Role


def require(
    by: ModeratorView | None, role: Role, site_id: int, *, unseen: type[CommentsError] = CommentNotFound
) -> None:
    """Let pass whoever has at least this role on the site. None is the operator, or the service itself.

    Raises: `unseen` for somebody who has no business on the site, and so must not learn what is there;
    NotAllowed for somebody who may look, but not do this.
    """
    if by is None or by.access.may(role, site_id):
        return
    if by.access.may(Role.VIEWER, site_id):
        raise NotAllowed
    raise unseen


def require_everywhere(by: ModeratorView | None, role: Role) -> None:
    """Let pass whoever has at least this role on every site, those made later included.

    Raises: NotAllowed.
    """
    if by is not None and by.access.sites(role) is not None:
        raise NotAllowed
