"""What somebody sets of a point's demands, at the prompt or in a form. Pure."""

from collections.abc import Mapping
from dataclasses import replace

from msgspec import Struct

from console.rights.facts import Demands
from console.words import Text
from sync.rights import Assurance

HARD_DAYS_MAX = 90
"""A controller that was cut off must not go on for ever by rights that were taken away."""
SOFT_HOURS_MAX = HARD_DAYS_MAX * 24


class Given(Struct, frozen=True):
    """The options that were given; None: that one wasn't."""

    soft_hours: int | None = None
    hard_days: int | None = None
    requires_fresh: bool | None = None
    min_assurance: int | None = None


NOTHING_GIVEN = Given()


def mistakes(given: Given) -> list[str]:
    """What is wrong with it, whatever was set before, in the words of the prompt."""
    wrong = mistakes_by_field(given)
    return [f"--{field.replace('_', '-')}: {words}" for field, words in wrong.items()]


def mistakes_by_field(given: Given) -> Mapping[str, Text]:
    """The same for each field of `Given` with which something is wrong."""
    return {
        field: Text("{least} to {most}", least=least, most=most)
        for field, value, least, most in (
            ("soft_hours", given.soft_hours, 1, SOFT_HOURS_MAX),
            ("hard_days", given.hard_days, 1, HARD_DAYS_MAX),
            ("min_assurance", given.min_assurance, 0, int(max(Assurance))),
        )
        if value is not None and not least <= value <= most
    }


def changed(before: Demands, given: Given) -> Demands | Text:
    """What holds from now on, or in one line why it can't. `given` has no mistakes."""
    after = before
    if given.soft_hours is not None:
        after = replace(after, soft_seconds=given.soft_hours * 3600)
    if given.hard_days is not None:
        after = replace(after, hard_seconds=given.hard_days * 24 * 3600)
    if given.requires_fresh is not None:
        after = replace(after, requires_fresh=given.requires_fresh)
    if given.min_assurance is not None:
        after = replace(after, min_assurance=Assurance(given.min_assurance))
    if after.soft_seconds > after.hard_seconds:
        return Text(
            "the soft limit, {soft} hours, would be above the hard one, {hard} hours: give both",
            soft=after.soft_seconds // 3600,
            hard=after.hard_seconds // 3600,
        )
    return after
