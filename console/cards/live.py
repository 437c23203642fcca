"""The list of unknown cards as a source of live updates, for admins."""

from collections.abc import Sequence

from console.cards.routes import TypedOwner, unknown_context
from console.database import Database
from console.web.live_hub import LiveFragment
from console.web.routing import Who


class UnknownCards:
    """Sent whole whenever an event came in or a card was given to somebody."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @property
    def channels(self) -> frozenset[str]:
        """Taps, and changes of the table of cards."""
        return frozenset({"access_event", "access_changed"})

    async def fragments(
        self, audience: Who, changed: frozenset[str] | None
    ) -> Sequence[LiveFragment]:
        """The list. Raises: DatabaseUnavailable."""
        if audience is not Who.ADMIN or not _concerns_cards(changed):
            return []
        async with self._database.reading() as conn:
            context = await unknown_context(conn, TypedOwner())
        return [LiveFragment("unknown-cards", "cards/unknown_list.html", context)]


def _concerns_cards(changed: frozenset[str] | None) -> bool:
    """An event's payload is its number; `access_changed` names a table."""
    return changed is None or any(hint.isdigit() or hint == "card" for hint in changed)
