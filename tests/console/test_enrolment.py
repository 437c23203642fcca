"""Enrolment: one file, once, with everything that a controller needs."""

import asyncio
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from console.controllers.enrol import (
    EVERYWHERE,
    EnrolmentRefused,
    broker_url_for_bundle,
    enrol,
    refuse_name,
)
from console.controllers.queries import broker_password_hash
from console.daemon import password_lookup
from console.database import Connection, Database
from console.link.broker_password import verify_password
from console.link.broker_url import BrokerUrl, BrokerUrlError
from console.settings import MqttSettings
from console.site_keys import SiteKeys
from sync.bundle import decode_bundle
from sync.ids import ControllerId
from sync.settings_values import Address
from sync.signing import public_key
from tests.support import makerspace
from tests.support.brokers import mqtt_settings
from tests.support.site import enrolled, new_site_keys

BROKER = BrokerUrl("broker.example.org", 8883, tls=True)
NAME = ControllerId("front-pi")


@pytest.fixture
def keys(tmp_path: Path) -> SiteKeys:
    return new_site_keys(tmp_path)


async def test_the_bundle_is_private_and_whole(
    database: Database, connection: Connection, tmp_path: Path, keys: SiteKeys
):
    out = tmp_path / "bundle.json"
    await enrol(database, keys, controller=NAME, broker=BROKER, prefix="p2k16", out=out)
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    bundle = decode_bundle(await asyncio.to_thread(out.read_bytes))
    assert bundle.broker_url == "mqtts://broker.example.org:8883"
    assert bundle.broker_username == "front-pi"
    assert bundle.root_public_key == keys.root_public_key
    assert bundle.sealing_public_key == keys.sealing_public_key
    assert bundle.site_salt == keys.site_salt
    row = await (
        await connection.execute(
            "select public_key, entry_key, broker_password_hash from access.controller"
        )
    ).fetchone()
    assert row is not None
    assert row[:2] == (public_key(bundle.private_key), bundle.entry_key)
    assert verify_password(bundle.broker_password, row[2])
    assert bundle.broker_password not in row[2]
    assert bundle.private_key not in row


async def test_a_controller_that_a_door_named_before_is_enrolled_all_the_same(
    database: Database, connection: Connection, tmp_path: Path, keys: SiteKeys
):
    await makerspace.controller(connection)
    await makerspace.door(connection)
    assert (await enrolled(database, keys, tmp_path)).controller == "front-pi"


async def test_a_file_that_is_there_is_not_overwritten(
    database: Database, connection: Connection, tmp_path: Path, keys: SiteKeys
):
    out = tmp_path / "bundle.json"
    out.write_text("precious")
    with pytest.raises(EnrolmentRefused, match="name another file"):
        await enrol(database, keys, controller=NAME, broker=BROKER, prefix="p2k16", out=out)
    assert out.read_text() == "precious"
    assert await broker_password_hash(connection, controller=NAME) is None


async def test_a_folder_that_can_not_be_written_enrols_nobody(
    database: Database, connection: Connection, tmp_path: Path, keys: SiteKeys
):
    out = tmp_path / "missing" / "bundle.json"
    with pytest.raises(EnrolmentRefused, match="can't write"):
        await enrol(database, keys, controller=NAME, broker=BROKER, prefix="p2k16", out=out)
    assert await broker_password_hash(connection, controller=NAME) is None


async def test_twice_is_refused_and_replacing_gives_everything_anew(
    database: Database, connection: Connection, tmp_path: Path, keys: SiteKeys
):
    first = await enrolled(database, keys, tmp_path)
    before = set(tmp_path.iterdir())
    with pytest.raises(EnrolmentRefused, match="--replace"):
        await enrolled(database, keys, tmp_path)
    assert set(tmp_path.iterdir()) == before, "no file is left of a refused enrolment"
    await connection.execute(
        "update access.controller set quarantined_at = now(), quarantine_reason = 'fork'"
    )
    await connection.execute(
        "insert into access.controller_report values ('front-pi', now(), '{}')"
    )
    second = await enrolled(database, keys, tmp_path, replace=True)
    assert first.private_key != second.private_key
    assert first.entry_key != second.entry_key
    assert first.broker_password != second.broker_password
    row = await (
        await connection.execute(
            "select quarantined_at, (select count(*) from access.controller_report)"
            " from access.controller"
        )
    ).fetchone()
    assert row == (None, 0)


async def test_the_embedded_broker_knows_whoever_is_enrolled(
    database: Database, connection: Connection, tmp_path: Path, keys: SiteKeys
):
    password_hash_of = password_lookup(database)
    await makerspace.controller(connection)
    assert await password_hash_of("front-pi") is None
    assert await password_hash_of("nobody") is None
    bundle = await enrolled(database, keys, tmp_path)
    stored = await password_hash_of("front-pi")
    assert stored is not None
    assert verify_password(bundle.broker_password, stored)


def listening(address: Address, *, url: str | None = None, tls: bool = False) -> MqttSettings:
    files = (Path("a"), Path("b")) if tls else None
    return replace(mqtt_settings(tls=files), listen=address, url=url)


@pytest.mark.parametrize(
    ("given", "settings", "expected"),
    [
        ("mqtt://10.0.0.5", listening(Address("127.0.0.1", 1883)), "mqtt://10.0.0.5:1883"),
        (None, listening(Address("127.0.0.1", 1883)), "mqtt://127.0.0.1:1883"),
        (None, listening(Address("[fd00::1]", 1884)), "mqtt://[fd00::1]:1884"),
        (None, listening(Address("p2.lan", 8883), tls=True), "mqtts://p2.lan:8883"),
        (
            None,
            listening(Address("[::]", 1), url="mqtts://console:secret@b.example.org"),
            "mqtts://b.example.org:8883",
        ),
        (
            "mqtt://user:secret@10.0.0.5:99",
            listening(Address("[::]", 1)),
            "mqtt://10.0.0.5:99",
        ),
    ],
)
def test_the_bundle_names_the_broker_without_credentials(
    given: str | None, settings: MqttSettings, expected: str
):
    assert broker_url_for_bundle(given, settings).without_credentials() == expected


@pytest.mark.parametrize("host", sorted(EVERYWHERE))
def test_an_address_that_nobody_can_connect_to_must_be_named_by_hand(host: str):
    with pytest.raises(EnrolmentRefused, match="--broker"):
        broker_url_for_bundle(None, listening(Address(host, 1883)))


def test_a_broker_that_is_no_url_is_refused():
    with pytest.raises(BrokerUrlError):
        broker_url_for_bundle("broker.example.org", listening(Address("127.0.0.1", 1883)))


def test_no_controller_has_the_consoles_name_at_the_broker():
    settings = listening(Address("127.0.0.1", 1883), url="mqtt://console:x@localhost")
    with pytest.raises(EnrolmentRefused, match="console"):
        refuse_name(ControllerId("console"), settings)
    refuse_name(NAME, settings)
