"""What is set for a door, in words for its page. Pure."""

from datetime import tzinfo

from msgspec import Struct

from console.rights.facts import Door
from console.rights.weekly_hours import words
from console.web import times
from console.words import Text
from sync.rights import Assurance

_CARDS = {
    Assurance.UID: Text("any"),
    Assurance.UID_AND_SECOND_FACTOR: Text("with a second factor"),
    Assurance.MUTUAL_AUTHENTICATION: Text("that prove themselves"),
}


class About(Struct, frozen=True):
    """`hours` empty: it stands open at no hours."""

    without_console: str
    cards: str
    takes_any_card: bool
    hours: str


def about(door: Door, *, zone: tzinfo) -> About:
    """What is set. `zone`: of the hours."""
    demands = door.demands
    soft, hard = times.length(demands.soft_seconds), times.length(demands.hard_seconds)
    without = Text(
        "all cards for {hard}, open hours for {soft}, then break-glass cards only",
        hard=hard,
        soft=soft,
    )
    if demands.requires_fresh:
        without = Text("all cards for {soft}, then nobody", soft=soft)
    hours = words(*door.open_hours)
    return About(
        without_console=without,
        cards=_CARDS[demands.min_assurance],
        takes_any_card=demands.min_assurance is Assurance.UID,
        hours=Text("{hours} ({zone})", hours=hours, zone=str(zone)) if hours else "",
    )
