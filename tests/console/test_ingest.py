"""Events reach the database once each, with all that follows from them."""

import asyncio
import json
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString

import pytest

from console.badges import awarding
from console.cards.queries import unknown_cards
from console.database import Connection, Database
from console.events.ingest import Forked, Ingested, Ingester, Stored
from console.rights.facts import Controller
from sync.commands import Operation
from sync.credential import member_ref, parse_credential, site_digest
from sync.events import Batch, EventKind, Occurrence
from sync.ids import AccountRef, CommandId, PointKey, TapId
from sync.rights import Reason
from tests.support import makerspace
from tests.support.controller_stand_in import NOON_MS, JournalStandIn
from tests.support.site import as_facts, enrolled, new_site_keys
from tests.support.waiting import eventually

NOW = datetime.fromtimestamp(NOON_MS / 1000, UTC) + timedelta(hours=1)


@dataclass
class Site:
    """A door, a controller with its journal, and Kari with a card."""

    database: Database
    connection: Connection
    ingester: Ingester
    controller: Controller
    journal: JournalStandIn
    kari: int
    card: int
    digest: bytes

    async def ingest(self, batch: Batch | None = None) -> Ingested:
        return await self.ingester.ingest(self.controller, batch or self.journal.batch())

    async def rows(self, statement: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        return await (await self.connection.execute(statement, values)).fetchall()

    async def events(self) -> list[tuple[Any, ...]]:
        return await self.rows(
            "select seq, kind, account, card, site_digest from access.event order by seq"
        )

    async def legacy(self) -> list[tuple[Any, ...]]:
        return await self.rows(
            "select domain, name, created_by, text1, created_at from event order by id"
        )


@pytest.fixture
async def site(database: Database, connection: Connection, tmp_path: Path) -> Site:
    keys = new_site_keys(tmp_path)
    bundle = await enrolled(database, keys, tmp_path)
    await makerspace.door(connection)
    kari = await makerspace.account(connection, username="kari")
    digest = site_digest(parse_credential("em4100:0102345678"), keys.site_salt)
    card = await makerspace.card(connection, account=kari, site_digest=digest)
    journal = JournalStandIn(bundle.controller, bundle.entry_key, keys.sealing_public_key)
    ingester = Ingester(database, keys, now=lambda: NOW)
    return Site(database, connection, ingester, as_facts(bundle), journal, kari, card, digest)


async def test_a_granted_tap_becomes_the_web_apps_event_row_with_the_time_of_the_tap(site: Site):
    site.journal.granted(site.kari, site.digest)
    assert await site.ingest() == Stored(1, 1)
    assert await site.events() == [(1, "access_granted", site.kari, site.card, None)]
    tapped = datetime.fromtimestamp(NOON_MS / 1000 + 1, UTC)
    assert (await site.legacy())[-1] == ("door", "open", site.kari, "front", tapped)
    ((linked,),) = await site.rows("select legacy_event from access.event")
    ((opening,),) = await site.rows("select id from event where name = 'open'")
    assert linked == opening


async def test_without_a_trusted_clock_the_time_of_arrival_counts(site: Site):
    site.journal.granted(site.kari, site.digest, trusted=False)
    await site.ingest()
    assert (await site.legacy())[-1][-1] == NOW
    assert await site.rows("select happened_at, clock_trusted from access.event") == [(NOW, False)]


@pytest.mark.parametrize("time_ms", [0, 2**53 - 2000, NOON_MS + 2 * 3600_000])
async def test_a_time_that_can_not_be_is_not_believed(site: Site, time_ms: int):
    site.journal.time_ms = time_ms
    site.journal.granted(site.kari, site.digest)
    await site.ingest()
    assert await site.rows("select happened_at, clock_trusted from access.event") == [(NOW, False)]


async def test_the_first_opening_ever_awards_the_badge_once(site: Site):
    for _ in range(3):
        site.journal.granted(site.kari, site.digest)
    await site.ingest(site.journal.batch(1, 2))
    await site.ingest(site.journal.batch(3, 3))
    ((badge, description),) = await site.rows(
        "select b.id, d.id from account_badge b join badge_description d"
        " on d.id = b.badge_description where d.title = 'first-door-opening'"
        " and b.account = %s and b.created_by = %s and b.awarded_by = 3",
        site.kari,
        site.kari,
    )
    assert await site.rows(
        "select domain, name, created_by, int1, int2 from event where domain = 'badge'"
    ) == [("badge", "awarded", site.kari, badge, description)]


async def test_whoever_opened_a_door_in_the_web_app_gets_no_second_first_badge(site: Site):
    await site.rows(
        "insert into event (created_at, created_by, domain, name, text1)"
        " values (now(), %s, 'door', 'open', 'front') returning 1",
        site.kari,
    )
    site.journal.granted(site.kari, site.digest)
    await site.ingest()
    assert await site.rows("select * from account_badge") == []


async def test_a_badge_of_that_name_from_somebody_else_is_no_opening(site: Site):
    async with site.database.writing() as conn:
        ola = await makerspace.account(site.connection, username="ola")
        await awarding.award(conn, title="first-door-opening", recipient="kari", awarder_id=ola)
    site.journal.granted(site.kari, site.digest)
    await site.ingest()
    assert await site.rows("select account, awarded_by from account_badge order by id") == [
        (site.kari, ola),
        (site.kari, 3),
    ]


async def test_a_denial_stays_in_access_and_names_whose_card_it_was(site: Site):
    site.journal.denied(site.digest)
    await site.ingest()
    assert await site.events() == [(1, "access_denied", site.kari, site.card, None)]
    assert await site.legacy() == []


async def test_a_card_that_nobody_has_is_kept_by_its_digest(site: Site):
    stranger = secrets.token_bytes(16)
    site.journal.denied(stranger)
    await site.ingest()
    assert await site.events() == [(1, "access_denied", None, None, stranger)]


async def test_a_lost_card_is_still_its_owners_and_can_be_assigned_by_its_tap(site: Site):
    await site.connection.execute("update access.card set lost_at = now()")
    site.journal.denied(site.digest)
    await site.ingest()
    assert await site.events() == [(1, "access_denied", site.kari, site.card, site.digest)]
    (unknown,) = await unknown_cards(site.connection, days=36_500, limit=5)
    assert unknown.taps == 1


async def test_a_card_that_was_lost_and_found_by_another_is_attributed_to_whose_it_was(site: Site):
    site.journal.granted(site.kari, site.digest)
    await site.connection.execute("update access.card set lost_at = now()")
    ola = await makerspace.account(site.connection)
    found = await makerspace.card(site.connection, account=ola, site_digest=site.digest)
    site.journal.granted(ola, site.digest)
    site.journal.denied(site.digest)
    await site.ingest()
    assert [(account, card) for _, _, account, card, _ in await site.events()] == [
        (site.kari, site.card),
        (ola, found),
        (ola, found),
    ]


async def test_a_deleted_account_does_not_block_the_journal(site: Site):
    gone = await makerspace.account(site.connection)
    digest = secrets.token_bytes(16)
    await makerspace.card(site.connection, account=gone, site_digest=digest)
    site.journal.granted(gone, digest)
    site.journal.denied(digest)
    await site.connection.execute("delete from account where id = %s", [gone])
    assert await site.ingest() == Stored(2, 2)
    assert await site.legacy() == []


@pytest.mark.parametrize(
    "operation", [operation for operation in Operation if operation is not Operation.OPEN]
)
async def test_an_order_that_is_no_opening_is_answered_and_writes_no_opening(
    site: Site, operation: Operation
):
    identifier = await command(site, operation=operation)
    site.journal.record(
        Occurrence(
            EventKind.COMMAND_EXECUTED, point=PointKey("front"), command=CommandId(identifier)
        )
    )
    stored = await site.ingest()
    assert isinstance(stored, Stored)
    assert [(result.command, result.refusal) for result in stored.results] == [(identifier, None)]
    assert await site.rows("select result from access.command") == [("executed",)]
    assert await site.events() == [(1, "command_executed", site.kari, None, None)]
    assert await site.legacy() == []


AT_A_POINT = (*("door_", "exit_", "tamper_", "unlock_", "tool_"), *("staleness_", "fault_"))
"""How kinds begin that the old web app knew nothing of."""


@pytest.mark.parametrize(
    "kind",
    [kind for kind in EventKind if kind.startswith(AT_A_POINT)],
)
async def test_what_happens_at_a_door_or_tool_is_stored_for_whom_it_concerns_and_nowhere_else(
    site: Site, kind: EventKind
):
    member = member_ref(site.controller.entry_key, AccountRef(site.kari))
    stranger = member_ref(site.controller.entry_key, AccountRef(987654))
    for whose in (member, None, stranger):
        site.journal.record(
            Occurrence(kind, point=PointKey("front"), member=whose, detail="as long as it takes")
        )
    assert await site.ingest() == Stored(3, 3)
    assert await site.events() == [
        (1, kind, site.kari, None, None),
        (2, kind, None, None, None),
        (3, kind, None, None, None),
    ]
    assert await site.legacy() == []


async def test_a_grant_at_a_point_that_is_no_door_writes_no_opening(site: Site):
    site.journal.granted(site.kari, site.digest, door="laser")
    assert await site.ingest() == Stored(1, 1)
    assert await site.legacy() == []


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_grant_that_moved_no_relay_is_no_opening(site: Site, at_once: bool):
    tap = site.journal.granted(site.kari, site.digest)
    site.journal.granted(site.kari, site.digest)
    site.journal.record(Occurrence(EventKind.ACCESS_WITHDRAWN, point=PointKey("front"), tap=tap))
    for batch in (
        [site.journal.batch()] if at_once else [site.journal.batch(n, n) for n in (1, 2, 3)]
    ):
        await site.ingest(batch)
    openings = [row for row in await site.legacy() if row[1] == "open"]
    assert [row[4] for row in openings] == [datetime.fromtimestamp(NOON_MS / 1000 + 2, UTC)]


async def command(site: Site, *, controller: str = "front-pi", operation: str = "open") -> str:
    ((identifier,),) = await site.rows(
        "insert into access.command (id, controller, point, operation, actor, counter)"
        " values (gen_random_uuid(), %s, 'front', %s, %s, 1) returning id::text",
        controller,
        operation,
        site.kari,
    )
    return identifier


async def test_a_remote_opening_is_its_actors(site: Site):
    identifier = await command(site)
    site.journal.record(
        Occurrence(
            EventKind.COMMAND_EXECUTED, point=PointKey("front"), command=CommandId(identifier)
        )
    )
    result = await site.ingest()
    assert isinstance(result, Stored)
    assert [(r.command, r.refusal) for r in result.results] == [(identifier, None)]
    assert [row[:4] for row in await site.legacy() if row[1] == "open"] == [
        ("door", "open", site.kari, "front")
    ]
    assert await site.rows("select result from access.command") == [("executed",)]
    assert (await site.events())[0][2] == site.kari


async def test_a_refused_command_says_why(site: Site):
    identifier = await command(site)
    site.journal.record(
        Occurrence(
            EventKind.COMMAND_REFUSED, command=CommandId(identifier), detail="stale: too late"
        )
    )
    await site.ingest()
    assert await site.rows("select result from access.command") == [("refused:stale: too late",)]
    assert await site.legacy() == []


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_remote_opening_that_moved_no_relay_is_none(site: Site, at_once: bool):
    identifier = CommandId(await command(site))
    for kind in (EventKind.COMMAND_EXECUTED, EventKind.ACCESS_WITHDRAWN):
        reason = Reason.RELAY_FAULT if kind is EventKind.ACCESS_WITHDRAWN else None
        site.journal.record(
            Occurrence(kind, point=PointKey("front"), command=identifier, reason=reason)
        )
    if not at_once:
        await site.ingest(site.journal.batch(1, 1))
    result = await site.ingest()
    assert isinstance(result, Stored)
    assert [(r.command, r.refusal) for r in result.results] == [(identifier, "relay_fault")]
    assert await site.rows("select result from access.command") == [("refused:relay_fault",)]
    assert [row for row in await site.legacy() if row[1] == "open"] == []


async def test_a_refusal_with_letters_that_are_none_does_not_stop_the_journal(site: Site):
    identifier = CommandId(await command(site))
    line = json.loads(
        site.journal.record(Occurrence(EventKind.COMMAND_REFUSED, command=identifier, detail="x"))
    )
    line["detail"] = "stale: \ud800\x00 too late"
    site.journal.lines[0] = json.dumps(line).encode()
    assert isinstance(await site.ingest(), Stored)
    assert await site.rows("select result from access.command") == [("refused:stale:  too late",)]


async def test_a_controller_can_not_answer_anothers_command(site: Site):
    await makerspace.controller(site.connection, key="back-pi")
    identifier = await command(site, controller="back-pi")
    site.journal.record(
        Occurrence(
            EventKind.COMMAND_EXECUTED, point=PointKey("front"), command=CommandId(identifier)
        )
    )
    assert await site.ingest() == Stored(1, 1)
    assert await site.rows("select result from access.command") == [(None,)]
    assert await site.legacy() == []


async def test_an_unknown_kind_is_kept(site: Site):
    line = json.loads(site.journal.started())
    line["kind"] = "coffee_machine_descaled"
    line["temperature"] = 93
    site.journal.lines[0] = json.dumps(line).encode()
    assert await site.ingest() == Stored(1, 1)
    ((kind, payload),) = await site.rows("select kind, payload from access.event")
    assert (kind, json.loads(payload)) == ("coffee_machine_descaled", line)


@pytest.mark.parametrize(
    "broken",
    [b"", b"\x00\xff\xfe", b'{"seq":1}', b"[" * 5000, b'{"a":"\\ud800"}', "{}".encode("utf-16")],
    ids=["empty", "binary", "too little", "deep", "surrogate", "utf-16"],
)
async def test_a_broken_event_is_kept_and_the_next_ones_follow(site: Site, broken: bytes):
    site.journal.started()
    site.journal.lines[0] = broken
    site.journal.granted(site.kari, site.digest)
    assert await site.ingest() == Stored(2, 2)
    assert [row[1] for row in await site.events()] == ["unreadable", "access_granted"]
    site.journal.started()
    assert await site.ingest(site.journal.batch(3)) == Stored(3, 1)


async def test_an_event_that_the_database_refuses_blocks_nobody_else(site: Site):
    for _ in range(2):
        site.journal.granted(site.kari, site.digest)
    site.journal.denied(site.digest)
    # Whatever the database may object to: a rule of somebody's own, for example.
    await site.connection.execute(
        "create function no() returns trigger language plpgsql as"
        " $$ begin raise check_violation; end $$;"
        " create trigger no before insert on event for each row"
        " when (new.name = 'open') execute function no()"
    )
    assert await site.ingest() == Stored(3, 1)
    kinds = [row[1] for row in await site.events()]
    assert kinds == ["unreadable", "unreadable", "access_denied"]


async def test_numbers_beyond_a_column_do_not_stop_the_journal(site: Site):
    site.journal.record(Occurrence(EventKind.ACCESS_DENIED, assurance=2**40))
    assert await site.ingest() == Stored(1, 1)


async def test_a_gap_is_answered_with_what_is_there(site: Site):
    for _ in range(5):
        site.journal.started()
    await site.ingest(site.journal.batch(1, 2))
    assert await site.ingest(site.journal.batch(4, 5)) == Stored(2)
    assert len(await site.events()) == 2


async def test_what_the_controller_has_deleted_is_not_waited_for(site: Site):
    for _ in range(5):
        site.journal.started()
    assert await site.ingest(site.journal.batch(4, 5, oldest=4)) == Stored(5, 2)
    assert [row[0] for row in await site.events()] == [4, 5]


async def test_two_histories_put_the_controller_in_quarantine(site: Site):
    twin = replace(site.journal, lines=[])
    site.journal.granted(site.kari, site.digest)
    await site.ingest()
    twin.started()
    assert await site.ingest(twin.batch()) == Forked(1)
    ((at, reason),) = await site.rows(
        "select quarantined_at, quarantine_reason from access.controller"
    )
    assert at is not None
    assert "contradicts" in reason
    assert len(await site.events()) == 1


async def test_each_event_is_announced_at_the_commit(site: Site):
    await site.connection.execute("listen access_event")
    for _ in range(3):
        site.journal.started()
    await site.ingest()
    ids = {str(row[0]) for row in await site.rows("select id from access.event")}
    heard = {n.payload async for n in site.connection.notifies(timeout=5, stop_after=3)}
    assert heard == ids


async def test_a_journal_belongs_to_its_controller_alone(site: Site, tmp_path: Path):
    other = await enrolled(site.database, new_site_keys(tmp_path), tmp_path, name="back-pi")
    site.journal.started()
    same_id = JournalStandIn(other.controller, other.entry_key, journal=site.journal.journal)
    same_id.started()
    assert await site.ingest() == Stored(1, 1)
    assert await site.ingester.ingest(as_facts(other), same_id.batch()) == Stored(1, 1)


async def test_names_are_found_for_cards_that_came_later(site: Site):
    site.journal.started()
    await site.ingest()
    ola = await makerspace.account(site.connection)
    digest = secrets.token_bytes(16)
    card = await makerspace.card(site.connection, account=ola, site_digest=digest)
    site.journal.granted(ola, digest)
    await site.ingest(site.journal.batch(2))
    assert (await site.events())[-1] == (2, "access_granted", ola, card, None)


async def test_a_tap_id_of_another_event_is_not_touched(site: Site):
    site.journal.granted(site.kari, site.digest)
    site.journal.record(
        Occurrence(EventKind.ACCESS_WITHDRAWN, point=PointKey("front"), tap=TapId("0c" * 16))
    )
    await site.ingest()
    assert len([row for row in await site.legacy() if row[1] == "open"]) == 1


async def test_a_first_grant_that_moved_no_relay_awards_nothing(site: Site):
    tap = site.journal.granted(site.kari, site.digest)
    site.journal.record(Occurrence(EventKind.ACCESS_WITHDRAWN, point=PointKey("front"), tap=tap))
    await site.ingest()
    assert await site.legacy() == []
    assert await site.rows("select * from account_badge") == []


async def test_a_first_opening_that_is_withdrawn_later_leaves_no_badge_and_the_next_is_the_first(
    site: Site,
):
    tap = site.journal.granted(site.kari, site.digest)
    await site.ingest()
    assert len(await site.rows("select * from account_badge")) == 1
    site.journal.record(Occurrence(EventKind.ACCESS_WITHDRAWN, point=PointKey("front"), tap=tap))
    await site.ingest()
    assert await site.rows("select * from account_badge") == []
    assert await site.legacy() == []
    operations = "select operation_type from account_badge_version order by transaction_id"
    assert await site.rows(operations) == [(0,), (2,)]
    site.journal.granted(site.kari, site.digest)
    await site.ingest()
    assert len(await site.rows("select * from account_badge")) == 1
    assert [row[:2] for row in await site.legacy()] == [("badge", "awarded"), ("door", "open")]


async def test_a_withdrawn_opening_takes_no_badge_from_whoever_opened_another(site: Site):
    tap = site.journal.granted(site.kari, site.digest)
    await site.ingest()
    site.journal.granted(site.kari, site.digest)
    site.journal.record(Occurrence(EventKind.ACCESS_WITHDRAWN, point=PointKey("front"), tap=tap))
    await site.ingest()
    assert len(await site.rows("select * from account_badge")) == 1
    assert [row[:2] for row in await site.legacy()] == [("badge", "awarded"), ("door", "open")]


async def test_two_doors_at_the_same_moment_award_one_badge(site: Site, tmp_path: Path):
    other = await enrolled(site.database, new_site_keys(tmp_path), tmp_path, name="back-pi")
    await makerspace.door(site.connection, key="back", controller="back-pi")
    back = JournalStandIn(other.controller, other.entry_key)
    site.journal.granted(site.kari, site.digest)
    back.granted(site.kari, site.digest, door="back")

    async def both_wait() -> bool:
        ((waiting,),) = await site.rows(
            "select count(*) from pg_stat_activity"
            " where datname = current_database() and wait_event_type = 'Lock'"
        )
        return waiting == 2

    async with site.database.writing() as blocker:
        await blocker.execute("lock table event in exclusive mode")
        ingests = [
            asyncio.create_task(site.ingest()),
            asyncio.create_task(site.ingester.ingest(as_facts(other), back.batch())),
        ]
        await eventually(both_wait)
    assert await asyncio.gather(*ingests) == [Stored(1, 1), Stored(1, 1)]
    assert len(await site.rows("select * from account_badge")) == 1
    assert len(await site.rows("select * from event where name = 'open'")) == 2
