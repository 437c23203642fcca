"""What controllers are sent follows the database: once for each difference, never for none."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, LiteralString

import pytest

from console.rights import snapshot_queries
from console.rights.publish import Publisher, is_due, next_serial, unix_ms
from console.rights.snapshot_queries import LatestVersion
from sync.credential import entry
from sync.envelope import Kind, open_
from sync.ids import Epoch, SiteDigest
from sync.snapshot import digest
from tests.support import makerspace
from tests.support.site import CONTROLLER, DIGEST, RightsSite, enrolled
from tests.support.waiting import eventually


@pytest.fixture
def site(rights_site: RightsSite) -> RightsSite:
    """The same by a shorter name."""
    return rights_site


@asynccontextmanager
async def running(publisher: Publisher) -> AsyncGenerator[None]:
    task = asyncio.create_task(publisher.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_the_first_snapshot_has_serial_1_and_follows_the_keyset(site: RightsSite):
    await site.publisher().publish_changes()
    topics = [topic for topic, _, retained in site.broker.messages if retained]
    assert topics == ["p2k16/v1/front-pi/down/keys", "p2k16/v1/front-pi/down/snapshot"]
    (snapshot,) = site.snapshots()
    assert (snapshot.epoch, snapshot.serial, snapshot.previous_digest) == (1, 1, None)
    assert site.lets_kari_in()


async def test_without_a_change_nothing_is_published(site: RightsSite):
    publisher = site.publisher()
    for _ in range(3):
        await publisher.publish_changes()
    await site.change("update account set phone = '1' where id = %s", site.kari)
    await publisher.publish_changes()
    await site.publisher().publish_changes()  # as after a restart
    assert [snapshot.serial for snapshot in site.snapshots()] == [1]


@pytest.mark.parametrize(
    "statement",
    [
        "delete from circle_member where account = %s",
        "update stripe_payment set end_date = now() - interval '25 hours' where created_by = %s",
        "update stripe_payment set amount = 0 where created_by = %s",
        "update stripe_payment set start_date = now() + interval '1 hour' where created_by = %s",
        "update access.card set lost_at = now() where account = %s",
        "update account set system = true where id = %s",
    ],
)
async def test_a_change_that_takes_the_right_away_is_the_next_snapshot(
    site: RightsSite, statement: LiteralString
):
    publisher = site.publisher()
    await publisher.publish_changes()
    await site.change(statement, site.kari)
    await publisher.publish_changes()
    first, second = site.snapshots()
    assert second.serial == 2
    assert second.previous_digest is not None
    key = entry(site.bundle.entry_key, SiteDigest(DIGEST))
    assert key in first.entries
    right = second.entries.get(key)
    assert right is None or (right.not_before_ms or 0) > unix_ms()


async def test_the_day_of_slack_is_24_hours_to_the_millisecond(site: RightsSite):
    await site.change("update stripe_payment set end_date = '2026-10-25 00:30:00.123456+00'")
    end_ms = int(datetime(2026, 10, 26, 0, 30, tzinfo=UTC).timestamp() * 1000) + 123
    publisher = site.publisher(lambda: end_ms)
    await site.change("update stripe_payment set start_date = '2026-10-01'")
    assert await publisher.publish_changes() == end_ms + 1
    (right,) = site.snapshots()[-1].entries.values()
    assert right.not_after_ms == end_ms
    await site.publisher(lambda: end_ms + 1).publish_changes()
    assert not site.lets_kari_in()


@pytest.mark.parametrize(
    ("start", "end"),
    [("-infinity", "infinity"), ("4000-01-01 BC", "200000-01-01"), ("now", "infinity")],
)
async def test_instants_that_no_clock_reaches_do_not_stop_the_rights(
    site: RightsSite, start: str, end: str
):
    await site.change("update stripe_payment set start_date = %s, end_date = %s", start, end)
    await site.change("update stripe_payment set start_date = least(start_date, now())")
    await site.publisher().publish_changes()
    assert site.lets_kari_in()


async def test_an_employee_of_an_active_company_opens_every_door_until_it_is_not_active(
    site: RightsSite,
):
    await site.change("delete from circle_member")
    company = await makerspace.company(site.connection)
    await makerspace.employee(site.connection, account=site.kari, company=company)
    await makerspace.door(site.connection, key="store", circles=())
    publisher = site.publisher()
    await publisher.publish_changes()
    (right,) = site.snapshots()[-1].entries.values()
    assert right.points == {"front", "store"}
    await site.change("update company set active = false")
    await publisher.publish_changes()
    assert not site.lets_kari_in()


async def test_a_payment_that_ends_closes_the_door_without_any_change_or_hint(site: RightsSite):
    async with running(site.publisher()):
        await eventually(site.snapshots)
        await site.change(
            "update stripe_payment set end_date = now() - interval '24 hours' + interval '600 ms'"
        )
        publisher = site.publisher()
    async with running(publisher):
        await eventually(lambda: len(site.snapshots()) == 2)
        assert site.lets_kari_in()
        await eventually(lambda: len(site.snapshots()) == 3)
        assert not site.lets_kari_in()


async def test_a_payment_that_begins_opens_the_door_without_any_change_or_hint(site: RightsSite):
    await site.change("update stripe_payment set start_date = now() + interval '302 seconds'")
    async with running(site.publisher()):
        await eventually(site.snapshots)
        (ahead,) = site.snapshots()[0].entries.values()
        begins_ms = ahead.not_before_ms
        assert begins_ms is not None
        await eventually(lambda: len(site.snapshots()) == 2)
    assert unix_ms() >= begins_ms
    (begun,) = site.snapshots()[1].entries.values()
    assert begun.not_before_ms is None


async def test_hints_wake_the_publisher_and_many_are_one(site: RightsSite):
    publisher = site.publisher()
    async with running(publisher):
        await eventually(site.snapshots)
        await site.change("delete from circle_member")
        for _ in range(50):
            publisher.hint()
        await eventually(lambda: len(site.snapshots()) == 2, seconds=2)
    assert not site.lets_kari_in()


async def test_a_database_that_is_gone_for_a_while_is_waited_for(site: RightsSite):
    publisher = site.publisher()
    async with running(publisher):
        await eventually(site.snapshots)
        await site.change(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where pid <> pg_backend_pid() and datname = current_database()"
        )
        await site.change("delete from circle_member")
        publisher.hint()
        await eventually(lambda: len(site.snapshots()) == 2, seconds=8)


async def test_a_controller_that_is_not_enrolled_gets_nothing(site: RightsSite):
    await makerspace.controller(site.connection, key="back-pi")
    publisher = site.publisher()
    await publisher.publish_changes()
    await publisher.send_everything()
    assert not [topic for topic, *_ in site.broker.messages if "/back-pi/" in topic]


async def test_a_right_taken_away_reaches_a_controller_in_quarantine(site: RightsSite):
    publisher = site.publisher()
    await publisher.publish_changes()
    await site.change(
        "update access.controller set quarantined_at = now(), quarantine_reason = 'x'"
    )
    await site.change("delete from circle_member")
    await publisher.publish_changes()
    assert [len(snapshot.entries) for snapshot in site.snapshots()] == [1, 0]


async def test_a_new_connection_gets_everything_again_with_the_same_serial(site: RightsSite):
    publisher = site.publisher()
    await publisher.publish_changes()
    await site.publisher().send_everything()
    assert [snapshot.serial for snapshot in site.snapshots()] == [1, 1]
    first, again = (m[1] for m in site.broker.messages if m[0].endswith("snapshot"))
    assert first == again


async def report(site: RightsSite, *, serial: int, digest: str | None, epoch: int = 1) -> None:
    applied = {"epoch": epoch, "serial": serial, "digest": digest}
    await site.change(
        "insert into access.controller_report values ('front-pi', now(), %s::jsonb)"
        " on conflict (controller) do update set report = excluded.report",
        json.dumps({"applied": applied}),
    )


async def test_a_database_that_was_restored_overtakes_what_the_controller_has(site: RightsSite):
    publisher = site.publisher()
    await publisher.publish_changes()
    await report(site, serial=41, digest="ab" * 32)
    await publisher.publish_changes()
    assert [snapshot.serial for snapshot in site.snapshots()] == [1, 42]
    payload = open_(
        site.broker.messages[-1][1],
        Kind.SNAPSHOT,
        CONTROLLER,
        public_key=site.keys.keyset.snapshot_key,
    )
    await report(site, serial=42, digest=digest(payload).hex())
    await publisher.publish_changes()
    assert len(site.snapshots()) == 2


async def test_the_same_serial_with_another_digest_is_overtaken(site: RightsSite):
    publisher = site.publisher()
    await publisher.publish_changes()
    await report(site, serial=1, digest="ab" * 32)
    await publisher.publish_changes()
    assert [snapshot.serial for snapshot in site.snapshots()] == [1, 2]


async def test_a_serial_that_can_not_be_is_not_followed(site: RightsSite):
    publisher = site.publisher()
    await publisher.publish_changes()
    await report(site, serial=2**52, digest="ab" * 32)
    await publisher.publish_changes()
    assert [snapshot.serial for snapshot in site.snapshots()] == [1]


def version(**values: Any) -> LatestVersion:
    known: dict[str, Any] = {
        "controller": "front-pi",
        "epoch": 1,
        "serial": 7,
        "digest": b"d" * 32,
        "content_digest": b"c" * 32,
        "applied_epoch": 1,
        "applied_serial": 7,
        "applied_digest": (b"d" * 32).hex(),
    }
    return LatestVersion(**(known | values))


def test_a_new_epoch_begins_with_serial_1():
    assert is_due(version(), b"c" * 32, Epoch(2))
    assert next_serial(version(), Epoch(2)) == 1
    assert next_serial(version(applied_epoch=2, applied_serial=5), Epoch(2)) == 6


def test_equal_content_that_is_applied_or_on_its_way_is_not_due():
    assert not is_due(version(), b"c" * 32, Epoch(1))
    behind = version(applied_serial=6, applied_digest="00" * 32)
    assert not is_due(behind, b"c" * 32, Epoch(1))
    silent = version(applied_epoch=None, applied_serial=None, applied_digest=None)
    assert not is_due(silent, b"c" * 32, Epoch(1))


async def test_old_snapshots_go_but_never_the_one_in_force(site: RightsSite):
    publisher = site.publisher()
    await publisher.publish_changes()
    await site.change("update access.snapshot set made_at = now() - interval '300 days'")
    async with site.database.writing() as conn:
        assert await snapshot_queries.prune_snapshots(conn, days=90) == 0
    await site.change("delete from circle_member")
    await publisher.publish_changes()
    # Replaced a moment ago: taps of this morning were decided by it.
    async with site.database.writing() as conn:
        assert await snapshot_queries.prune_snapshots(conn, days=90) == 0
    await site.change("update access.snapshot set made_at = now() - interval '91 days'")
    async with site.database.writing() as conn:
        assert await snapshot_queries.prune_snapshots(conn, days=90) == 1
    assert await site.rows("select serial from access.snapshot") == [(2,)]


async def test_too_many_cards_stop_one_controller_and_no_other(site: RightsSite, tmp_path: Path):
    await enrolled(site.database, site.keys, tmp_path, name="back-pi")
    await makerspace.door(site.connection, key="back", controller="back-pi", circles=(5,))
    await site.change(
        "insert into access.card (account, credential_type, site_digest)"
        " select %s, 'em4100', decode(md5(n::text), 'hex') from generate_series(1, 50000) n",
        site.kari,
    )
    await site.publisher().publish_changes()
    topics = {topic for topic, _, _ in site.broker.messages}
    assert topics == {"p2k16/v1/back-pi/down/keys", "p2k16/v1/back-pi/down/snapshot"}
