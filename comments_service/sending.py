"""How a submission came, whatever it says: what its form and its browser tell of who sent it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Proof(StrEnum):
    """What became of the work that a form's browser was asked to do."""

    NOT_ASKED = "not-asked"
    GIVEN = "given"
    MISSING = "missing"


@dataclass(frozen=True)
class Sending:
    """How a submission came, whatever it says. `seconds` since its form was first shown; None: nobody knows.

    `nonce` names the form, by its first ticket. `is_trapped`: a field was filled in that no person sees. What
    the browser calls itself (`agent`) and the page it was on (`referrer`) are for neighbours alone, and kept
    nowhere.
    """

    seconds: int | None = None
    nonce: str | None = None
    by_page: bool = False
    is_trapped: bool = False
    proof: Proof = Proof.NOT_ASKED
    agent: str = ""
    referrer: str = ""

    def lacks_proof(self, *, is_ticket_used: bool) -> bool:
        """Whether work was asked for that is not there, or was done for another comment before."""
        return self.proof is Proof.MISSING or (self.proof is Proof.GIVEN and is_ticket_used)
