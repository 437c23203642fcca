"""How long a door or tool goes on without the console: what pages count down to. Pure.

A controller's age grows with the time since its report; only a beacon lowers it, and while the
console hears nothing of a controller, it is taken that the controller hears nothing either.
"""

from datetime import datetime, timedelta

from msgspec import Struct

from console.controllers.shown import Shown
from console.web import times
from console.words import Text
from sync.rights import Point, Staleness, staleness

LEVELS = {
    Staleness.FRESH: Shown(Text("Rights fresh"), "check", "good"),
    Staleness.AGING: Shown(Text("Rights not fresh"), "alert"),
    Staleness.SOFT: Shown(Text("Rights old"), "alert", "warn"),
    Staleness.HARD: Shown(Text("Rights too old"), "alert", "bad"),
}
_ORDER = tuple(Staleness)


class Freshness(Struct, frozen=True):
    """`before`, then the moment `at` (None: there is none to name), then `after`.

    `counts_down`: the moment is ahead.
    """

    level: Shown
    before: str
    at: datetime | None = None
    after: str = ""
    counts_down: bool = False


def freshness(
    point: Point, *, level: object, age_ms: object, heard_at: datetime, now: datetime
) -> Freshness | None:
    """From what was reported at `heard_at`; None: nothing credible was."""
    if isinstance(age_ms, bool) or not isinstance(age_ms, int) or not 0 <= age_ms < 2**53:
        return None
    heard_ms = max(0, (now - heard_at) // timedelta(milliseconds=1))
    reached = staleness(point, age_ms + heard_ms)
    if isinstance(level, str) and level in _ORDER:
        # The controller goes by the limits in its own rights, which may be older ones.
        reached = max(reached, Staleness(level), key=_ORDER.index)
    soft, hard = (_until(heard_at, age_ms, s) for s in (point.soft_seconds, point.hard_seconds))
    end, then = hard, Text("break-glass cards only")
    if point.requires_fresh:
        end, then = soft, Text("nobody gets in")
    if reached is Staleness.HARD or (reached is Staleness.SOFT and point.requires_fresh):
        at = None if end is None or end > now else end
        words = then.capital() if at is None else Text("{then} since", then=then.capital())
        return Freshness(LEVELS[reached], words, at, Text(", until it hears from here"))
    if reached is Staleness.FRESH or end is None:
        seconds = point.soft_seconds if point.requires_fresh else point.hard_seconds
        words = Text(
            "Works {time} without the console, then {then}", time=times.length(seconds), then=then
        )
        return Freshness(LEVELS[reached], words)
    words = Text("Works without the console until")
    if reached is Staleness.SOFT:
        words = Text("No open hours now; works without the console until")
    after = Text(": then {then}", then=then)
    return Freshness(LEVELS[reached], words, end, after, counts_down=True)


def _until(heard_at: datetime, age_ms: int, seconds: int) -> datetime | None:
    """When the age is so much; None: at no moment that a page could name."""
    try:
        return heard_at - timedelta(milliseconds=age_ms) + timedelta(seconds=seconds)
    except OverflowError:
        return None
