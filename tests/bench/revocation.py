"""From the commit of a change in the database to the controller refusing the card."""

import time

from tests.bench.figures import spread_ms
from tests.bench.site import Site
from tests.support.waiting import eventually_sync

TIMES = 50


def measure(site: Site) -> None:
    """Takes the circle away and gives it back; the controller's own event tells when it applied."""
    kari = site.sql("SELECT id FROM account WHERE username = 'kari'")[0][0]
    taken: list[float] = []
    for number in range(TIMES):
        serial = site.sql("SELECT max(serial) FROM access.snapshot")[0][0]
        if number % 2 == 0:
            site.sql("DELETE FROM circle_member WHERE account = %s", kari)
        else:
            site.sql(
                "INSERT INTO circle_member (created_at, created_by, updated_at, updated_by,"
                " circle, account) SELECT now(), %s, now(), %s, id, %s FROM circle"
                " WHERE name = 'door'",
                *(kari, kari, kari),
            )
        committed = time.time()
        applied = eventually_sync(lambda serial=serial: _applied_at(site, serial + 1))
        taken.append(applied - committed)
    spread_ms("commit to refusal", taken, cards=len(site.cards))


def _applied_at(site: Site, serial: int) -> float | None:
    rows = site.sql(
        "SELECT payload::jsonb ->> 'wall_ms' FROM access.event"
        " WHERE kind = 'snapshot_applied' AND serial = %s",
        serial,
    )
    return int(rows[0][0]) / 1000 if rows else None
