"""What each member of the made-up makerspace has paid. Pure; relative to the present moment."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from console.demo.makerspace import Pays, Person
from console.demo.queries import PaymentRow

MONTH = timedelta(days=30)
ENDED_AGO = timedelta(hours=12)
"""So that the day of slack lasts as long as anybody tries the demo."""
FEES = (Decimal(500), Decimal(500), Decimal(300), Decimal(900))


def payments(people: Sequence[Person], now: datetime) -> list[PaymentRow]:
    """Everybody's, each with some months before."""
    chance = random.Random(11)  # noqa: S311 nothing here is secret
    rows: list[PaymentRow] = []
    for person in people:
        days_left, months, fee = chance.randint(2, 28), chance.randint(2, 14), chance.choice(FEES)
        end = _end(person.pays, now, days_left)
        if end is None:
            continue
        is_first = person.pays in {Pays.FROM_NEXT_WEEK, Pays.FREE}
        amount = Decimal(0) if person.pays is Pays.FREE else fee
        for number in range(1 if is_first else months):
            last = end - number * MONTH
            stripe_id = f"in_demo_{person.username}_{number}"
            rows.append(PaymentRow(person.username, stripe_id, last - MONTH, last, amount))
    return rows


def _end(pays: Pays, now: datetime, days_left: int) -> datetime | None:
    """When the newest paid period ends; each lasts a month."""
    match pays:
        case Pays.MONTHLY | Pays.FREE:
            return now + timedelta(days=days_left)
        case Pays.UNTIL_A_MOMENT_AGO:
            return now - ENDED_AGO
        case Pays.UNTIL_LAST_MONTH:
            first = now.replace(day=1, hour=18, minute=0, second=0, microsecond=0)
            return first - timedelta(days=9)
        case Pays.FROM_NEXT_WEEK:
            return now + timedelta(days=7) + MONTH
        case Pays.NEVER:
            return None
