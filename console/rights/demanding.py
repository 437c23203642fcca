"""What somebody sets of a point's demands at the prompt. Pure."""

from dataclasses import dataclass, replace

from console.rights.facts import Demands
from sync.rights import Assurance

HARD_DAYS_MAX = 90
"""A controller that was cut off must not go on for ever by rights that were taken away."""
SOFT_HOURS_MAX = HARD_DAYS_MAX * 24


@dataclass(frozen=True, slots=True)
class Given:
    """The options that were given; None: that one wasn't."""

    soft_hours: int | None = None
    hard_days: int | None = None
    requires_fresh: bool | None = None
    min_assurance: int | None = None


NOTHING_GIVEN = Given()


def mistakes(given: Given) -> list[str]:
    """What is wrong with it, whatever was set before."""
    wrong: list[str] = []
    if given.soft_hours is not None and not 1 <= given.soft_hours <= SOFT_HOURS_MAX:
        wrong.append(f"--soft-hours: 1 to {SOFT_HOURS_MAX}")
    if given.hard_days is not None and not 1 <= given.hard_days <= HARD_DAYS_MAX:
        wrong.append(f"--hard-days: 1 to {HARD_DAYS_MAX}")
    if given.min_assurance is not None and given.min_assurance not in set(Assurance):
        wrong.append(f"--min-assurance: 0 to {max(Assurance)}")
    return wrong


def changed(before: Demands, given: Given) -> Demands | str:
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
        return (
            f"the soft limit, {after.soft_seconds // 3600} hours, would be above the hard one, "
            f"{after.hard_seconds // 3600} hours: give both"
        )
    return after
