"""Who held which card to which reader in the last month, made up. Pure.

Decides who comes when, by habit and with a seed, so that two demos differ only by the present
moment. Whether a tap was granted is not decided here: see `history.py`.
"""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from console.demo.makerspace import FRONT, WORKSHOP, Habit, Person
from sync.ids import PointKey

SEED = 7016
DAYS = 30
STRANGERS = 4
"""Cards that nobody has: numbers 0 to 3. The last one lies on the table and was not seen yet."""

# Hour of arrival: mean and spread. On a day that isn't one of a habit's, hardly anybody comes.
_ARRIVAL = {
    Habit.EVENINGS: (18.2, 1.3),
    Habit.OFFICE_HOURS: (8.9, 1.1),
    Habit.WEEKENDS: (12.6, 2.0),
    Habit.NIGHTS: (21.4, 1.0),
}
_WEEKDAYS = {  # Monday to Sunday; Tuesday and Thursday are the open evenings
    Habit.EVENINGS: (1.0, 1.8, 1.0, 1.8, 0.5, 0.6, 0.8),
    Habit.OFFICE_HOURS: (1.4, 1.4, 1.4, 1.4, 1.3, 0.1, 0.0),
    Habit.WEEKENDS: (0.1, 0.3, 0.1, 0.3, 0.2, 3.2, 2.8),
    Habit.NIGHTS: (0.9, 1.2, 0.9, 1.2, 1.2, 1.1, 0.5),
}


class Tap(Struct, frozen=True):
    """A card at a reader. `username` None: the card belongs to nobody, and `number` tells which."""

    at: datetime
    door: PointKey
    username: str | None
    number: int


def month_of_taps(people: Sequence[Person], now: datetime) -> list[Tap]:
    """Everything until some minutes ago, oldest first. `now` is in the zone of the space."""
    chance = random.Random(SEED)  # noqa: S311 nothing here is secret
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    taps: list[Tap] = []
    for days_ago in range(DAYS, -1, -1):
        day = midnight - timedelta(days=days_ago)
        for person in people:
            # Drawn whether she comes or not, so that one day doesn't change the next.
            often = person.visits_a_week / 7 * _WEEKDAYS[person.habit][day.weekday()]
            visits = chance.random() < often
            visit = list(_visit(person, day, chance))
            taps += visit if visits else []
        taps += _strangers(day, chance)
    taps += _today(now)
    newest = now - timedelta(minutes=2)
    return sorted((t for t in taps if t.at <= newest and _has_it(t, people, now)), key=_order)


def _visit(person: Person, day: datetime, chance: random.Random) -> Iterator[Tap]:
    mean, spread = _ARRIVAL[person.habit]
    at = day + timedelta(hours=min(23.2, max(0.3, chance.gauss(mean, spread))))
    number = chance.choices(range(len(person.cards)), k=1)[0] if person.cards else 0
    goes_on = "workshop" in person.circles or person.company is not None
    tries, returns = chance.random(), chance.random()
    minutes = [chance.uniform(0.4, 9), chance.uniform(25, 95), chance.uniform(1, 12)]
    if not person.cards:
        return
    yield Tap(at, FRONT, person.username, number)
    if tries < (0.75 if goes_on else 0.05):
        yield Tap(at + timedelta(minutes=minutes[0]), WORKSHOP, person.username, number)
    if returns < 0.35:  # went out for something to eat
        back = at + timedelta(minutes=minutes[0] + minutes[1])
        yield Tap(back, FRONT, person.username, number)
        if goes_on and tries < 0.5:
            again = back + timedelta(minutes=minutes[2])
            yield Tap(again, WORKSHOP, person.username, number)


def _strangers(day: datetime, chance: random.Random) -> Iterator[Tap]:
    number, hour = chance.randrange(STRANGERS - 1), chance.uniform(15, 20)
    if chance.random() < 0.2:
        at = day + timedelta(hours=hour)
        yield Tap(at, FRONT, None, number)
        yield Tap(at + timedelta(seconds=4.2), FRONT, None, number)  # once more, as people do


def _today(now: datetime) -> Iterator[Tap]:
    """The last hours, so that the first page shows life at whatever hour somebody starts this."""
    for minutes, door, username, number in (
        (171, FRONT, "anne", 0),
        (168, WORKSHOP, "anne", 0),
        (126, FRONT, "zofia", 0),
        (124, WORKSHOP, "zofia", 0),
        (97, FRONT, "siobhan", 0),
        (73, FRONT, "thi.mai", 0),
        (52, FRONT, "aase", 0),
        (50, WORKSHOP, "aase", 0),
        (31, FRONT, None, 2),
        (24, FRONT, "oyvind", 0),
        (12, FRONT, "ingrid", 0),
        (9, WORKSHOP, "ingrid", 0),
        (4, FRONT, "bjorn", 0),
    ):
        yield Tap(now - timedelta(minutes=minutes, seconds=number * 7 + 11), door, username, number)


def _has_it(tap: Tap, people: Sequence[Person], now: datetime) -> bool:
    """Whether the card could be at a reader then: found by somebody, a lost one may be, once."""
    if tap.username is None:
        return True
    cards = next(person.cards for person in people if person.username == tap.username)
    lost = [card.lost_days_ago for card in cards]
    days_ago = (now - tap.at) / timedelta(days=1)
    gone = lost[tap.number]
    if gone is not None:
        return days_ago > gone - 1.5  # whoever found it tried it
    replaced = lost[tap.number - 1] if tap.number else None
    return replaced is None or days_ago < replaced


def _order(tap: Tap) -> tuple[datetime, str, str]:
    return tap.at, tap.door, tap.username or ""
