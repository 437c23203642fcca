"""Claims to a first card as a source of live updates.

`claims` for everybody tells only that there is news: what it is, the page of the one whom it
concerns asks for. `enrolling` tells admins who waits at which door.
"""

from collections.abc import Sequence

from console.database import Database
from console.first_card import queries
from console.web import times
from console.web.live_hub import LiveFragment
from console.web.routing import Who


class CardClaims:
    """Sent whenever a claim begins, ends, or has news."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def channels(self) -> frozenset[str]:
        """Changes of the table of claims: a trigger of V002.015."""
        return frozenset({"access_claim"})

    async def fragments(
        self, audience: Who, changed: frozenset[str] | None
    ) -> Sequence[LiveFragment]:
        """Both. Raises: DatabaseUnavailable."""
        del changed
        async with self._database.reading() as conn:
            mark = await queries.claims_mark(conn)
            fragments = [LiveFragment("claims", "first_card/mark.html", {"mark": mark})]
            if audience is Who.ADMIN:
                claims = await queries.waiting_claims(conn, now=times.now())
                context = {"claims": claims}
                fragments.append(LiveFragment("enrolling", "first_card/enrolling.html", context))
        return fragments
