"""A house with doors that no controller of ours moves, and somebody who may open them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, LiteralString

from console.database import Connection, Database
from console.doors.any_door import AnyDoor
from console.doors.commands import NewDoor, add_door
from console.doors.dlock import Dlock
from console.doors.old_door import OldDoors
from console.doors.opening import Outcome
from console.rights.publish import unix_ms
from console.web.keys import NoBroker, Publishes
from sync.ids import AccountRef, PointKey
from tests.support import console_app, makerspace
from tests.support.authors import somebody_at
from tests.support.brokers import mqtt_settings
from tests.support.old_hardware import DoorController, door_controller, quick_dlock

FRONT, BACK, GATE = PointKey("front"), PointKey("back"), PointKey("gate")


@dataclass
class House:
    """Kari pays and is in circle door. `front` and `back` are the door controller's."""

    database: Database
    connection: Connection
    controller: DoorController
    dlock: Dlock
    doors: AnyDoor
    kari: int

    async def open(self, *doors: PointKey) -> Outcome:
        tried = await self.doors.open(
            doors, actor=AccountRef(self.kari), by=somebody_at("10.0.0.5")
        )
        return tried.outcome

    async def sql(self, statement: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        cursor = await self.connection.execute(statement, values)
        return await cursor.fetchall() if cursor.description else []

    async def commands(self) -> list[tuple[Any, ...]]:
        return await self.sql(
            "select point, operation, actor, result from access.command order by issued_at"
        )

    async def events(self) -> list[tuple[Any, ...]]:
        return await self.sql("select domain, name, text1, created_by from event order by id")


@asynccontextmanager
async def old_house(database: Database, connection: Connection) -> AsyncGenerator[House]:
    """Its door controller listens on a free port."""
    await make_doors(database)
    kari = await paying(connection)
    async with door_controller() as controller, quick_dlock(controller) as dlock:
        doors = any_door(database, dlock)
        yield House(database, connection, controller, dlock, doors, kari)


def any_door(database: Database, dlock: Dlock, broker: Publishes | None = None) -> AnyDoor:
    """Opens its doors; without a broker those of a topic stay shut."""
    old_doors = OldDoors(
        database, dlock, broker or NoBroker(), mqtt=mqtt_settings(), now_ms=unix_ms
    )
    return AnyDoor(database, controllers=None, old_doors=old_doors, now_ms=unix_ms)


async def make_doors(database: Database) -> None:
    """Two of the door controller's, and one of a topic."""
    for key in (FRONT, BACK):
        await add_door(database, NewDoor(key, f"The {key}", ["door"], 10, driver="dlock"))
    await add_door(
        database, NewDoor(GATE, "The gate", ["door"], 7, driver="mqtt", topic="gate/open")
    )


async def paying(connection: Connection, username: str = "kari") -> int:
    """Somebody who may open them."""
    account = await console_app.member(connection, username, name="Kari Nordmann")
    await makerspace.payment(connection, account=account)
    await makerspace.circle_member(connection, account=account)
    return account
