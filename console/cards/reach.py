"""How far a change of a card has got: which controllers have rights from after it. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from console.words import Text

LAG = timedelta(seconds=2)
"""Rights are derived within a second of a change; the console's clock and the database's differ."""


class AtController(Struct, frozen=True):
    """An enrolled controller. `has_newest`: as it said last, its rights are the newest there are.

    `rights_from`: when those were made; None: it said of none that are kept.
    """

    controller: str
    has_newest: bool
    rights_from: datetime | None


class Reach(Struct, frozen=True):
    """`waits`: the controllers that don't know yet, of `of` altogether."""

    waits: tuple[str, ...]
    of: int

    def words(self, *, is_lost: bool, names_controllers: bool) -> Text:
        """For the line of the card."""
        known = self.of - len(self.waits)
        if self.waits and self.of == 1:
            if is_lost:
                return Text("not yet dead at the one controller")
            return Text("not yet up to date at the one controller")
        if self.waits and is_lost:
            words = Text("dead at {known} of {n} controllers", known=known, n=self.of)
        elif self.waits:
            words = Text("up to date at {known} of {n} controllers", known=known, n=self.of)
        elif is_lost:
            words = Text.plural(
                "dead at the one controller", "dead at all {n} controllers", self.of
            )
        else:
            words = Text.plural(
                "up to date at the one controller", "up to date at all {n} controllers", self.of
            )
        if not self.waits or not names_controllers:
            return words
        waits = Text("not yet at {names}", names=", ".join(self.waits))
        return Text.joined([words, waits], ", ")


def reach(changed_at: datetime, controllers: Sequence[AtController], now: datetime) -> Reach:
    """Of a card that was given to somebody, or lost, at that time."""
    # Within the lag the newest rights may still be those of before.
    is_settled = now - changed_at > LAG
    waits = tuple(
        one.controller
        for one in controllers
        if not (one.has_newest and is_settled)
        and (one.rights_from is None or one.rights_from < changed_at)
    )
    return Reach(waits, len(controllers))
