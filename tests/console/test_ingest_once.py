"""Law: however often, late or mixed up events are delivered, each is stored once."""

import asyncio
import secrets
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.database import Connection, Database
from console.events.ingest import Ingester, Stored
from console.web import times
from sync.events import event_hash
from tests.support import makerspace
from tests.support.controller_stand_in import JournalStandIn
from tests.support.site import as_facts, enrolled, new_site_keys

EVENTS = 12
deliveries = st.lists(
    st.lists(st.tuples(st.integers(1, EVENTS), st.integers(0, EVENTS)), min_size=1, max_size=3),
    max_size=8,
)
"""Groups of batches (first event, how many more), of which each group arrives at the same time."""


@given(deliveries)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_each_event_is_stored_once_in_order_whatever_the_network_does(
    database: Database,
    connection: Connection,
    tmp_path: Path,
    groups: list[list[tuple[int, int]]],
):
    name = f"pi-{secrets.token_hex(8)}"
    keys = new_site_keys(tmp_path)
    bundle = await enrolled(database, keys, tmp_path, name=name)
    await makerspace.door(connection, key=name, controller=name)
    digests = [secrets.token_bytes(16) for _ in range(3)]
    members = [await makerspace.account(connection) for _ in digests]
    for member, digest in zip(members, digests, strict=True):
        await makerspace.card(connection, account=member, site_digest=digest)
    journal = JournalStandIn(bundle.controller, bundle.entry_key, keys.sealing_public_key)
    for number in range(EVENTS):
        if number % 4 == 3:
            journal.denied(secrets.token_bytes(16), door=name)
        else:
            journal.granted(members[number % 3], digests[number % 3], door=name)
    # Two consoles, as during a restart: neither knows what the other has done.
    ingesters = [Ingester(database, keys, now=times.now) for _ in range(2)]
    for group in groups:
        await asyncio.gather(
            *(
                ingesters[number % 2].ingest(
                    as_facts(bundle), journal.batch(first, min(EVENTS, first + more))
                )
                for number, (first, more) in enumerate(group)
            )
        )
    assert await ingesters[0].ingest(as_facts(bundle), journal.batch()) in {
        Stored(EVENTS, new) for new in range(EVENTS + 1)
    }

    rows = await (
        await connection.execute(
            "select seq, hash from access.event where controller = %s order by id", [name]
        )
    ).fetchall()
    expected = [(seq, event_hash(line)) for seq, line in enumerate(journal.lines, start=1)]
    assert rows == expected
    openings = await (
        await connection.execute(
            "select created_by from event where text1 = %s and name = 'open' order by id", [name]
        )
    ).fetchall()
    assert [row[0] for row in openings] == [members[n % 3] for n in range(EVENTS) if n % 4 != 3]
    badges = await (
        await connection.execute(
            "select account from account_badge where account = any(%s) order by account", [members]
        )
    ).fetchall()
    assert [row[0] for row in badges] == sorted(members)
