"""A broker in the wrong hands: what it keeps, alters or sends again changes nothing at the door."""

import json
import os
import signal
import urllib.parse
import urllib.request
from collections.abc import Generator
from functools import partial
from pathlib import Path

import pytest

from tests.support.brokers import PASSWORD as BROKER_PASSWORD
from tests.support.brokers import PASSWORD_HASH, Mosquitto, free_port, require_program
from tests.support.building import PASSWORD, Building, built
from tests.support.raw_mqtt import RawMqtt
from tests.support.waiting import eventually

soon = partial(eventually, seconds=60, every=0.1)
DOWN = "p2k16/v1/front-pi/down"


@pytest.fixture
def mosquitto(tmp_path: Path) -> Mosquitto:
    files = tmp_path / "mosquitto"
    program, port = require_program("mosquitto"), free_port()
    return Mosquitto(program, tmp_path, files / "passwords", files / "acl", port)


@pytest.fixture
def building(tmp_path: Path, empty_database_url: str, mosquitto: Mosquitto) -> Generator[Building]:
    with built(tmp_path, empty_database_url, mosquitto.url, mosquitto) as whole:
        yield whole


@pytest.fixture
async def attacker(building: Building, mosquitto: Mosquitto) -> RawMqtt:
    """Has the broker: may hear and say everything."""
    assert building.controller.process, "the console's own logins were written before"
    with mosquitto.passwords.open("a") as passwords:
        passwords.write(f"attacker:{PASSWORD_HASH}\n")
    with mosquitto.acl.open("a") as acl:
        acl.write("\nuser attacker\ntopic readwrite #\n")
    os.kill(mosquitto.pid, signal.SIGHUP)
    await soon(lambda: "Reloading config" in mosquitto.log)
    client = await RawMqtt.open(mosquitto.port)
    code = await client.connect(client_id="attacker", user="attacker", password=BROKER_PASSWORD)
    assert code == 0
    return client


def envelope(building: Building, serial: int, controller: str = "front-pi") -> bytes:
    [(data,)] = building.sql(
        "SELECT envelope FROM access.snapshot WHERE controller = %s AND serial = %s",
        *(controller, serial),
    )
    return bytes(data)


def rolled_back(building: Building) -> bytes:
    return envelope(building, 1)


def tampered(building: Building) -> bytes:
    data = bytearray(envelope(building, serials(building, "front-pi")[-1]))
    data[len(data) // 2] ^= 1
    return bytes(data)


def foreign(building: Building) -> bytes:
    return envelope(building, serials(building, "back-pi")[-1], "back-pi")


SNAPSHOTS = {"rolled_back": rolled_back, "bad_signature": tampered, "wrong_audience": foreign}


def revoke(building: Building) -> None:
    """Kari's right goes, at every door; two doors and controllers are there."""
    folder = building.controller.folder
    building.console.run("controllers", "enrol", "back-pi", "--out", str(folder / "back.json"))
    building.console.run(
        *("doors", "add", "back", "--name", "Back", "--circle", "door"),
        *("--controller", "back-pi"),
    )
    building.sql("DELETE FROM circle_member WHERE account = %s", building.account("kari"))


def serials(building: Building, controller: str) -> list[int]:
    rows = building.sql(
        "SELECT serial FROM access.snapshot WHERE controller = %s ORDER BY serial", controller
    )
    return [int(serial) for (serial,) in rows]


def refusals(building: Building) -> list[str]:
    """`snapshot rolled_back` and the like, as the console has them, oldest first."""
    rows = building.sql("SELECT payload FROM access.event WHERE kind = 'message_refused'")
    return [json.loads(payload)["detail"].partition(":")[0] for (payload,) in rows]


def last_refusal(building: Building) -> tuple[str, str] | None:
    """Kind and name of the last refusal since the start, as the status tells it."""
    error = building.controller.status().get("last_error")
    return None if error is None else (error["kind"], error["name"])


def applied(building: Building) -> int:
    return int(building.controller.status()["applied"]["serial"])


@pytest.mark.parametrize("name", SNAPSHOTS)
async def test_a_snapshot_from_a_false_broker_is_refused_after_a_restart_too(
    name: str, building: Building, attacker: RawMqtt
) -> None:
    revoke(building)
    await soon(lambda: len(serials(building, "front-pi")) >= 2 and serials(building, "back-pi"))
    newest = serials(building, "front-pi")[-1]
    await soon(lambda: applied(building) >= newest)

    await attacker.publish(f"{DOWN}/snapshot", SNAPSHOTS[name](building), retain=True)
    await soon(lambda: f"snapshot {name}" in refusals(building))
    await soon(building.controller.is_ready)
    building.controller.tap(building.KARIS_CARD)
    await soon(lambda: building.accesses() == ["access_denied"])

    building.controller.stop()  # the broker keeps the false one and hands it out first
    await attacker.publish(f"{DOWN}/snapshot", SNAPSHOTS[name](building), retain=True)
    building.controller.start()
    await soon(lambda: last_refusal(building) == ("snapshot", name))
    assert applied(building) >= newest
    await soon(building.controller.is_ready)
    building.controller.tap(building.KARIS_CARD)
    await soon(lambda: building.accesses() == ["access_denied"] * 2)
    assert not building.controller.has_opened()


async def test_the_current_snapshot_delivered_again_is_no_alarm(
    building: Building, attacker: RawMqtt
) -> None:
    serial = applied(building)
    for _ in range(3):
        await attacker.publish(f"{DOWN}/snapshot", envelope(building, serial), retain=True)
    building.controller.stop()
    building.controller.start()
    await soon(lambda: building.controller.status().get("clock", {}).get("trusted"))
    await soon(building.controller.is_ready)
    building.controller.tap(building.KARIS_CARD)
    await soon(lambda: building.accesses() == ["access_granted"])
    assert last_refusal(building) is None
    assert refusals(building) == []
    assert applied(building) == serial


def open_as_kari(building: Building) -> None:
    """Logs in and opens the front door, as a browser would."""
    visit = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    for path, form in (
        ("/login", {"username": "kari", "password": PASSWORD}),
        ("/doors/front/openings", {}),
    ):
        data = urllib.parse.urlencode(form).encode()
        with visit.open(f"{building.console.url}{path}", data, timeout=20) as answer:
            assert answer.status == 200


async def test_an_opening_is_executed_once_and_a_replay_is_refused_after_a_restart_too(
    building: Building, attacker: RawMqtt
) -> None:
    await attacker.subscribe(f"{DOWN}/command")
    await soon(lambda: building.controller.status()["clock"]["trusted"])
    open_as_kari(building)
    await soon(lambda: building.controller.relay_changes() == ["on", "off"])
    await attacker.ping()
    [opening] = {heard.payload for heard in attacker.heard}

    async def replayed(*, retain: bool) -> None:
        await attacker.publish(f"{DOWN}/command", opening, retain=retain)

    for retain in (False, True, False):
        await replayed(retain=retain)
    await soon(lambda: last_refusal(building) == ("command", "stale"))
    building.controller.stop()
    await replayed(retain=True)
    building.controller.start()
    await soon(lambda: last_refusal(building) == ("command", "stale"))
    await replayed(retain=False)
    await soon(lambda: refusals(building) == ["command stale"] * 2)
    rows = building.sql("SELECT kind FROM access.event WHERE kind LIKE 'command_%%'")
    assert rows == [("command_executed",)]
    assert building.controller.relay_changes() == ["on", "off"]
