"""What a point demands, as it stands in a form. Pure."""

from collections.abc import Mapping
from typing import Self

from msgspec import Struct

from console.rights import demanding
from console.rights.demanding import Given
from console.rights.facts import NOTHING_SPECIAL, Demands
from console.web.mistakes import Mistakes
from console.words import Text
from sync.rights import Assurance

DIGITS_MAX = 6
NO_NUMBER = Text("a whole number")

ASSURANCES = (
    (str(int(Assurance.UID)), Text("any card")),
    (str(int(Assurance.UID_AND_SECOND_FACTOR)), Text("with a second factor")),
    (str(int(Assurance.MUTUAL_AUTHENTICATION)), Text("that prove themselves")),
)


class DemandsDraft(Struct, frozen=True):
    """The fields as they were typed."""

    soft_hours: str = str(NOTHING_SPECIAL.soft_seconds // 3600)
    hard_days: str = str(NOTHING_SPECIAL.hard_seconds // 86400)
    min_assurance: str = "0"
    requires_fresh: bool = False

    @classmethod
    def read(cls, fields: Mapping[str, str]) -> Self:
        """From a posted form."""
        return cls(
            soft_hours=fields.get("soft_hours", "").strip(),
            hard_days=fields.get("hard_days", "").strip(),
            min_assurance=fields.get("min_assurance", "").strip(),
            requires_fresh="requires_fresh" in fields,
        )

    @classmethod
    def of(cls, demands: Demands) -> Self:
        """As it is now."""
        return cls(
            soft_hours=str(demands.soft_seconds // 3600),
            hard_days=str(demands.hard_seconds // 86400),
            min_assurance=str(int(demands.min_assurance)),
            requires_fresh=demands.requires_fresh,
        )

    def meant(self, before: Demands) -> Demands | Mistakes:
        """What holds from now on. What was typed as it was stays to the second."""
        if self == DemandsDraft.of(before):
            return before
        numbers = {
            name: number(text)
            for name, text in (
                ("soft_hours", self.soft_hours),
                ("hard_days", self.hard_days),
                ("min_assurance", self.min_assurance),
            )
        }
        wrong = {name: NO_NUMBER for name, value in numbers.items() if value is None}
        given = Given(**numbers, requires_fresh=self.requires_fresh)
        wrong |= demanding.mistakes_by_field(given)
        if wrong:
            return wrong
        demands = demanding.changed(before, given)
        return {"soft_hours": demands.capital()} if isinstance(demands, Text) else demands


def number(text: str) -> int | None:
    """A whole number of a form; None: it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX else None
