"""How often one network may guess passwords."""

from __future__ import annotations

import math

from limits import parse

from comments_service.errors import TooManyGuesses
from comments_service.limiter import Limiter, Tries

PER_NETWORK = parse("30 per 10 minutes")
PER_NAME = parse("8 per 10 minutes")
PER_PERSON = parse("10 per hour")  # from all networks: only who knows the password gets as far as a code


class Guesses(Limiter):
    """Counts tries to sign in."""

    def take(self, network: str, name: str, *, person: str | None = None) -> None:
        """Count one try; one of a code against the person too. Names and networks are given as hashes.

        Raises: TooManyGuesses, with `retry_after_seconds`.
        """
        tries: Tries = ((PER_NETWORK, network), (PER_NAME, f"{network}:{name}"))
        tries += ((PER_PERSON, person),) if person else ()
        wait = self.wait(tries)
        if wait > 0:
            raise TooManyGuesses(retry_after_seconds=math.ceil(wait))

    def forgive(self, network: str, name: str, *, person: str | None = None) -> None:
        """Forget the tries for a name from a network, and the codes of a person, once the right one came."""
        known: Tries = ((PER_NAME, f"{network}:{name}"),)
        known += ((PER_PERSON, person),) if person else ()
        self.clear(known)
