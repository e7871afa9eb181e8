"""How often one network may change own comments, vote, report, and ask for previews: told before any work."""

from __future__ import annotations

import math

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute

from comments_service.errors import CommentsError, TooManyChanges, TooManyReports, TooManyVotes
from comments_service.limiter import Limiter
from comments_service.settings import Settings


class Hurry(Limiter):
    """Counts tries to change own comments, votes, reports and previews, each kind by itself."""

    def __init__(self, settings: Settings) -> None:
        """Count under the limits of the installation."""
        super().__init__(settings)
        self._edits = RateLimitItemPerHour(settings.edits_per_hour, namespace="edits")
        self._withdrawals = RateLimitItemPerHour(settings.withdrawals_per_hour, namespace="withdrawals")
        self._previews = RateLimitItemPerMinute(settings.previews_per_minute, namespace="previews")
        self._votes = RateLimitItemPerMinute(settings.votes_per_minute, namespace="votes")
        self._reports = RateLimitItemPerHour(settings.reports_per_hour, namespace="reports")

    def preview(self, network: str) -> None:
        """Count one preview.

        Raises: TooManyChanges, with `retry_after_seconds`.
        """
        self._count((self._previews, network))

    def vote(self, network: str) -> None:
        """Count one vote.

        Raises: TooManyVotes, with `retry_after_seconds`.
        """
        self._count((self._votes, network), TooManyVotes)

    def report(self, network: str) -> None:
        """Count one report.

        Raises: TooManyReports, with `retry_after_seconds`.
        """
        self._count((self._reports, network), TooManyReports)

    def edit(self, network: str) -> None:
        """Count one try to edit; the network is given as a hash.

        Raises: TooManyChanges, with `retry_after_seconds`.
        """
        self._count((self._edits, network))

    def withdraw(self, network: str) -> None:
        """Count one try to withdraw.

        Raises: TooManyChanges, with `retry_after_seconds`.
        """
        self._count((self._withdrawals, network))

    def _count(
        self, one_try: tuple[RateLimitItem, str], refusal: type[CommentsError] = TooManyChanges
    ) -> None:
        if (wait := self.wait((one_try,))) > 0:
            raise refusal(retry_after_seconds=math.ceil(wait))
