"""The whole console between a real database, a real broker, and a controller that is played.

What happens between a change and the controller that hears of it, and between an event and the
database; with the embedded broker and with Mosquitto.
"""

import hashlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, LiteralString

import pytest
from aiohttp import ClientSession, CookieJar
from yarl import URL

from console.controllers.queries import broker_password_hashes
from console.daemon import Site, password_lookup, running_console
from console.database import Connection, Database
from console.link.embedded_broker import EmbeddedBroker
from console.link.mosquitto import write_broker_config
from console.settings import ConsoleSettings
from console.site_keys import SiteKeys, claim
from console.web.session import COOKIE
from sync.bundle import Bundle
from sync.credential import entry
from sync.ids import SiteDigest
from sync.snapshot import Snapshot
from sync.topics import Leaf
from tests.support import makerspace
from tests.support.brokers import PASSWORD, StartMosquitto
from tests.support.controller_stand_in import ControllerStandIn
from tests.support.postgres import console_settings
from tests.support.site import enrolled, new_site_keys
from tests.support.waiting import eventually

DIGEST = b"\x07" * 16


@dataclass
class House:
    """Kari pays, is in circle door, and has a card; the console runs, a controller is connected."""

    site: Site
    connection: Connection
    bundle: Bundle
    kari: int
    controller: ControllerStandIn
    address: str = ""

    async def sql(self, statement: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        """As at a psql prompt: committed at once, by nobody whom the console knows."""
        cursor = await self.connection.execute(statement, values)
        return await cursor.fetchall() if cursor.description else []

    async def is_healthy(self) -> bool:
        async with ClientSession() as browser, browser.get(f"{self.address}healthz") as answer:
            return answer.status == 200

    async def is_heard(self) -> None:
        """Reports, and waits for the answer: everything that was said before has been heard."""
        await self.controller.report()
        nonce = self.controller.nonce
        await eventually(lambda: nonce in {beacon.nonce for beacon in self.controller.beacons})

    def newest(self) -> Snapshot | None:
        return self.controller.snapshots[-1] if self.controller.snapshots else None

    def lets_kari_in(self) -> bool:
        newest = self.newest()
        name = entry(self.bundle.entry_key, SiteDigest(DIGEST))
        return newest is not None and name in newest.entries


async def prepared(
    database: Database, connection: Connection, folder: Path, keys: SiteKeys, broker_url: str
) -> tuple[Bundle, int]:
    await claim(connection, keys, folder)
    bundle = await enrolled(database, keys, folder, broker_url=broker_url)
    await makerspace.door(connection)
    kari = await makerspace.account(connection, username="kari")
    await makerspace.circle_member(connection, account=kari)
    await makerspace.payment(connection, account=kari)
    await makerspace.card(connection, account=kari, site_digest=DIGEST)
    return bundle, kari


@asynccontextmanager
async def opened(
    settings: ConsoleSettings,
    database: Database,
    connection: Connection,
    folder: Path,
    *,
    controller_url: str,
    console_url: str,
) -> AsyncGenerator[House]:
    keys = new_site_keys(folder)
    bundle, kari = await prepared(database, connection, folder, keys, controller_url)
    site = Site(settings, database, keys, console_url)
    controller = ControllerStandIn(bundle)
    house = House(site, connection, bundle, kari, controller)
    async with running_console(site) as house.address:
        await eventually(house.is_healthy)
        async with controller.connected():
            await eventually(house.lets_kari_in)
            yield house


@pytest.fixture
async def house(
    database: Database, database_url: str, connection: Connection, tmp_path: Path
) -> AsyncGenerator[House]:
    """With the embedded broker."""
    settings = replace(
        console_settings(tmp_path, database_url=database_url), data_dir=tmp_path / "unused"
    )
    async with (
        EmbeddedBroker(settings.mqtt, password_lookup(database)) as broker,
        opened(
            settings,
            database,
            connection,
            tmp_path,
            controller_url=f"mqtt://127.0.0.1:{broker.port}",
            console_url=broker.url,
        ) as house,
    ):
        yield house


async def test_mosquitto_with_our_files_serves_as_well(
    database: Database,
    database_url: str,
    connection: Connection,
    tmp_path: Path,
    start_mosquitto: StartMosquitto,
):
    settings = console_settings(tmp_path, database_url=database_url)
    keys = new_site_keys(tmp_path)
    bundle, kari = await prepared(database, connection, tmp_path, keys, "mqtt://127.0.0.1:1")
    files = write_broker_config(
        tmp_path / "broker-config",
        prefix="p2k16",
        url=f"mqtt://console:{PASSWORD}@127.0.0.1",
        controllers=await broker_password_hashes(connection),
    )
    broker = start_mosquitto(files.passwords, files.acl)
    controller = ControllerStandIn(replace(bundle, broker_url=f"mqtt://127.0.0.1:{broker.port}"))
    site = Site(settings, database, keys, broker.url)
    house = House(site, connection, bundle, kari, controller)
    async with running_console(site), controller.connected():
        await eventually(house.lets_kari_in)
        controller.journal.granted(kari, DIGEST)
        await controller.send()
        await eventually(lambda: controller.acks)


async def test_what_psql_changes_reaches_the_controller_at_once(house: House):
    await house.sql("delete from circle_member where account = %s", house.kari)
    await eventually(lambda: not house.lets_kari_in(), seconds=2)
    await makerspace.circle_member(house.connection, account=house.kari)
    await eventually(house.lets_kari_in, seconds=2)


async def test_a_change_while_nobody_listens_is_found_afterwards(house: House):
    (listener,) = await house.sql(
        "select pid from pg_stat_activity"
        " where datname = current_database() and query = 'listen access_changed'"
    )
    await house.sql("alter table circle_member disable trigger access_changed")
    await house.sql("select pg_terminate_backend(%s)", listener[0])
    await house.sql("delete from circle_member where account = %s", house.kari)
    # The hint was lost for good: nobody says anything any more.
    await eventually(lambda: not house.lets_kari_in(), seconds=5)


async def test_a_payment_that_ends_is_a_refusal_without_anybody_doing_anything(house: House):
    await house.sql(
        "update stripe_payment set end_date = now() - interval '24 hours' + interval '700 ms'"
    )
    await eventually(lambda: len(house.controller.snapshots) == 2)
    assert house.lets_kari_in()
    await eventually(lambda: not house.lets_kari_in(), seconds=3)


async def test_each_nonce_is_answered_with_the_newest_serial(house: House):
    first = house.controller.nonce
    await eventually(lambda: first in {beacon.nonce for beacon in house.controller.beacons})
    await house.is_heard()
    assert house.controller.beacons[-1].serial == house.controller.applied.serial


async def test_a_tap_is_stored_and_then_acknowledged(house: House):
    house.controller.journal.granted(house.kari, DIGEST)
    await house.controller.send()
    await eventually(lambda: [ack.seq for ack in house.controller.acks] == [1])
    assert await house.sql("select created_by, text1 from event where name = 'open'") == [
        (house.kari, "front")
    ]
    await house.controller.send()
    await eventually(lambda: [ack.seq for ack in house.controller.acks] == [1, 1])
    assert len(await house.sql("select 1 from access.event")) == 1


async def test_after_a_reconnect_the_journal_goes_on_where_it_was_stored(house: House):
    for _ in range(3):
        house.controller.journal.started()
    await house.controller.send(1, 2)
    await eventually(lambda: house.controller.acks)
    house.controller.acks.clear()
    await house.controller.hello()
    await eventually(lambda: [ack.seq for ack in house.controller.acks] == [2])


async def test_a_controller_that_has_nothing_asks_and_gets_keys_and_rights(house: House):
    house.controller.keyset = None
    house.controller.applied = replace(house.controller.applied, serial=0, digest=None)
    house.controller.snapshots.clear()
    await house.controller.request()
    await eventually(house.lets_kari_in)
    assert house.controller.keyset is not None


async def test_the_report_is_stored_and_an_older_one_that_is_replayed_is_not(house: House):
    house.controller.state = {"points": {"front": {"relay": "off", "state": "fault"}}}
    old = await house.controller.report()
    house.controller.state = {"points": {"front": {"relay": "off", "state": "locked"}}}
    await house.controller.report()

    async def state() -> object:
        rows = await house.sql(
            "select report #>> '{state,points,front,state}' from access.controller_report"
        )
        return rows and rows[0][0]

    async def is_locked() -> bool:
        return await state() == "locked"

    await eventually(is_locked)
    await house.controller.publish(Leaf.REPORT, old)
    await house.is_heard()
    assert await state() == "locked"


async def test_a_message_that_its_sender_did_not_sign_is_ignored(house: House, tmp_path: Path):
    other = await enrolled(
        house.site.database,
        house.site.keys,
        tmp_path,
        name="back-pi",
        broker_url=house.bundle.broker_url,
    )
    house.controller.journal.granted(house.kari, DIGEST)
    house.controller.bundle = replace(house.bundle, private_key=other.private_key)
    await house.controller.send()
    house.controller.bundle = house.bundle
    await house.is_heard()
    assert await house.sql("select 1 from access.event") == []


async def test_garbage_stops_nothing(house: House):
    for leaf in (Leaf.EVENTS, Leaf.REPORT, Leaf.HELLO, Leaf.REQUEST):
        for data in (b"", b"\x00" * 100, b"p2k16/1 events console 5\nhello" + b"x" * 64):
            await house.controller.publish(leaf, data)
    await house.is_heard()


async def test_a_fork_is_a_quarantine_and_nothing_more_is_heard(house: House, tmp_path: Path):
    house.controller.journal.started()
    await house.controller.send()
    await eventually(lambda: house.controller.acks)
    house.controller.journal.lines.clear()
    house.controller.journal.granted(house.kari, DIGEST)
    await house.controller.send()

    async def is_in_quarantine() -> bool:
        rows = await house.sql("select quarantined_at is not null from access.controller")
        return rows == [(True,)]

    await eventually(is_in_quarantine)
    acks, beacons = len(house.controller.acks), len(house.controller.beacons)
    await house.controller.report()
    await house.controller.send()
    # Lanes take turns: after so many messages of another controller these have been heard.
    other = ControllerStandIn(
        await enrolled(
            house.site.database,
            house.site.keys,
            tmp_path,
            name="back-pi",
            broker_url=house.bundle.broker_url,
        )
    )
    async with other.connected():
        for _ in range(4):
            await replace(house, controller=other).is_heard()
    assert (len(house.controller.acks), len(house.controller.beacons)) == (acks, beacons)


async def test_a_second_console_publishes_the_same_again_and_numbers_nothing_anew(house: House):
    serial = house.controller.applied.serial
    await house.controller.report()
    first, house.address = house.address, ""
    async with running_console(house.site) as house.address:
        assert house.address != first
        await eventually(house.is_healthy)
        await house.is_heard()
    rows = await house.sql("select max(serial) from access.snapshot")
    assert rows == [(serial,)]


async def test_healthz_says_whether_database_and_broker_answer(house: House):
    async with ClientSession() as browser, browser.get(f"{house.address}healthz") as answer:
        assert answer.status == 200
        assert await answer.json() == {"database": "answers", "broker": "answers"}


@asynccontextmanager
async def browser(house: House) -> AsyncGenerator[ClientSession]:
    """Kari's, logged in."""
    token = "a" * 40
    await house.sql(
        "insert into access.session (token_digest, account, expires_at)"
        " values (%s, %s, now() + interval '1 day')",
        hashlib.sha256(token.encode()).digest(),
        house.kari,
    )
    jar = CookieJar(unsafe=True)
    jar.update_cookies({COOKIE: token}, URL(house.address))
    async with ClientSession(base_url=house.address, cookie_jar=jar) as client:
        yield client


async def test_a_press_on_the_button_opens_the_door_and_says_after_how_long(house: House):
    async with browser(house) as kari:
        await house.is_heard()
        async with kari.post("/doors/front/openings", headers={"HX-Request": "true"}) as answer:
            assert answer.status == 200
            assert "Opened after 0." in await answer.text()
    (command,) = house.controller.commands
    assert await house.sql(
        "select result, actor from access.command where id = %s", command.id
    ) == [("executed", house.kari)]
    assert await house.sql("select created_by from event where name = 'open'") == [(house.kari,)]


async def test_an_address_that_is_far_too_long_is_answered_by_a_page(house: House):
    async with browser(house) as kari, kari.get("/search", params={"q": "x" * 30_000}) as answer:
        assert answer.status == 200
        assert "<h1>" in await answer.text()


async def test_the_controllers_refusal_is_told(house: House):
    house.controller.refuses = "relay_fault"
    async with browser(house) as kari:
        await house.is_heard()
        async with kari.post("/doors/front/openings", headers={"HX-Request": "true"}) as answer:
            assert answer.status == 422
            assert "relay did not move" in await answer.text()


async def test_a_controller_that_keeps_silent_is_no_answer(house: House):
    house.controller.obeys = False
    async with browser(house) as kari:
        await house.is_heard()
        async with kari.post("/doors/front/openings") as answer:
            assert answer.status == 422
            assert "No answer from the controller for 3 s: use your card." in await answer.text()


async def test_whoever_may_not_open_is_told_what_would_change_it(house: House):
    async with browser(house) as kari:
        await house.sql("delete from circle_member")
        async with kari.post("/doors/front/openings", headers={"HX-Request": "true"}) as answer:
            assert answer.status == 422
            words = await answer.text()
    assert "Not in circle “door”. Nobody can add you to “door” yet." in words
    assert house.controller.commands == []
