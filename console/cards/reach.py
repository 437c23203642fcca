"""How far a change of a card has got: which controllers have rights from after it. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from console.web.times import within_sentence
from console.words import Text

LAG = timedelta(seconds=2)
"""Rights are derived within a second of a change; the console's clock and the database's differ."""
PLACES_NAMED = 3
"""Of each controller."""
SILENT_AFTER = timedelta(minutes=1)
"""A report comes at least every 10 s. Without one it is said when the last was."""


class AtController(Struct, frozen=True):
    """An enrolled controller, by its doors and tools. `has_newest`: as it said last, at `heard_at`,
    its rights are the newest there are.

    `rights_from`: when those were made; None: it said of none that are kept.
    """

    places: Sequence[str]
    heard_at: datetime | None
    has_newest: bool
    rights_from: datetime | None

    def words(self, now: datetime) -> Text:
        """Which doors and tools, and since when nothing reaches them."""
        more = len(self.places) - PLACES_NAMED
        places: str = ", ".join(self.places[:PLACES_NAMED])
        if more > 0:
            places = Text("{places} and {n} more", places=places, n=more)
        if self.heard_at is None:
            return Text("{places} (never heard)", places=places)
        if now - self.heard_at < SILENT_AFTER:
            return Text.joined([places])
        heard = within_sentence(self.heard_at, now)
        return Text("{places} (last heard {time})", places=places, time=heard)


class Reach(Struct, frozen=True):
    """`waits`: the controllers that don't know yet, of `of` altogether."""

    waits: tuple[AtController, ...]
    of: int

    def words(self, *, is_lost: bool, now: datetime) -> Text:
        """For the line of the card."""
        names = Text.joined([one.words(now) for one in self.waits], ", ")
        known = self.of - len(self.waits)
        match is_lost, len(self.waits), self.of:
            case True, 0, _:
                return Text.plural(
                    "dead at the one controller", "dead at all {n} controllers", self.of
                )
            case False, 0, _:
                return Text.plural(
                    "up to date at the one controller",
                    "up to date at all {n} controllers",
                    self.of,
                )
            case True, _, 1:
                return Text("not yet dead at {names}", names=names)
            case False, _, 1:
                return Text("not yet up to date at {names}", names=names)
            case True, _, _:
                words = Text("dead at {known} of {n} controllers", known=known, n=self.of)
            case _:
                words = Text("up to date at {known} of {n} controllers", known=known, n=self.of)
        return Text.joined([words, Text("not yet at {names}", names=names)], ", ")


def reach(changed_at: datetime, controllers: Sequence[AtController], now: datetime) -> Reach:
    """Of a card that was given to somebody, or lost, at that time."""
    # Within the lag the newest rights may still be those of before.
    is_settled = now - changed_at > LAG
    waits = tuple(
        one
        for one in controllers
        if not (one.has_newest and is_settled)
        and (one.rights_from is None or one.rights_from < changed_at)
    )
    return Reach(waits, len(controllers))
