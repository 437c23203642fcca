"""What each command of `p2k16-console` does but `serve` and `demo`: opens the database, does it,
and says what was done.

Each works whether `serve` runs or not. The command line itself is read in `__main__.py`, and every
rule is with its feature: imports stand inside, so that a command loads only what it needs.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from console.database import Database, open_database
from console.preparation import prepare, prepare_schema
from console.rights.publish import unix_ms
from console.settings import ConsoleSettings
from console.site_keys import SiteKeys
from sync.ids import controller_id

if TYPE_CHECKING:
    from console.doors.changing import DoorChange
    from console.doors.commands import NewDoor
    from console.tools.attaching import Attachment


def notice(text: str) -> None:
    """Says something that a person should see, whatever becomes of the output."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


async def run_migrate(settings: ConsoleSettings) -> str:
    """Brings the database up to date, also one of the old web application."""
    from console.migrate import Found, migrate

    async with open_database(settings, must_answer=True) as database:
        done = await migrate(database.conninfo)
    if not done.applied and not done.recorded:
        return "The database is up to date."
    versions = ", ".join(done.applied)
    match done.found:
        case Found.FRESH:
            return f"Made the tables of an empty database: {versions}."
        case Found.LEGACY:
            return (
                "Took over a database of the old web application, which had "
                f"{', '.join(done.recorded)} already; added {versions}."
            )
        case Found.OURS:
            return f"Updated the database: {versions}."


def is_to_be_removed(settings: ConsoleSettings) -> bool:
    """Asks at a terminal, if there is anything to lose; else whoever wrote the command is sure."""
    if not sys.stdin.isatty() or not asyncio.run(_has_ours(settings)):
        return True
    sys.stderr.write(
        "This deletes all cards, doors, controllers, events and sessions of this database. Only a "
        "backup brings them back.\nThe old web application's tables stay, and it may go on "
        "running. `serve` should be stopped.\nType yes to go on: "
    )
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() == "yes"


async def _has_ours(settings: ConsoleSettings) -> bool:
    from console.migrate import is_ours

    async with open_database(settings, must_answer=True) as database:
        return await is_ours(database.conninfo)


async def run_remove(settings: ConsoleSettings) -> str:
    """Takes all that is ours out of the database."""
    from console.migrate import remove

    async with open_database(settings, must_answer=True) as database:
        if not await remove(database.conninfo):
            return "There is nothing of ours in this database. Nothing was changed."
    return (
        "Removed cards, doors, controllers, events, sessions and our triggers. The tables of the "
        "old web application are as they were without us; p2k16-console migrate takes them over."
    )


async def run_parity(settings: ConsoleSettings, *, as_json: bool) -> tuple[str, bool]:
    """Compares the old application's rule with ours; also says whether they agree on everything."""
    from console.parity import report

    async with _schema(settings) as database:
        compared = await report.compare(database, now_ms=unix_ms())
    text = report.as_json(compared) if as_json else report.as_text(compared)
    return text, not compared.differences


async def run_broker_config(settings: ConsoleSettings, *, out: Path) -> str:
    """Writes password and ACL files for Mosquitto."""
    from console.controllers.queries import broker_password_hashes
    from console.link.broker_access import old_prefixes
    from console.link.mosquitto import write_broker_config

    async with _schema(settings) as database, database.reading() as conn:
        hashes = await broker_password_hashes(conn)
    files = write_broker_config(
        out,
        prefix=settings.mqtt.prefix,
        url=settings.mqtt.url,
        controllers=hashes,
        old_prefixes=old_prefixes(settings.mqtt),
    )
    return (
        f"Wrote {files.passwords} and {files.acl} for the console and {files.controllers} enrolled "
        f"controllers; an example for Mosquitto is {files.example}. Reload Mosquitto now."
    )


async def run_accounts_add(
    settings: ConsoleSettings,
    *,
    username: str,
    email: str,
    name: str,
    circles: Sequence[str],
    password: str,
) -> str:
    """Makes an account."""
    from console.people.commands import add_account

    async with _schema(settings) as database:
        account = await add_account(
            database, username=username, email=email, name=name, circles=circles, password=password
        )
    return f"Made the account {username} (no. {account})."


async def run_cards_assign(
    settings: ConsoleSettings, *, username: str, credential: str, label: str
) -> str:
    """Gives somebody a card."""
    from console.cards.commands import assign_card

    async with _schema_and_keys(settings) as (database, keys):
        await assign_card(
            database, keys.site_salt, username=username, credential_text=credential, label=label
        )
    return f"The card is {username}'s now. Doors that she may open know it within a second."


async def run_doors_add(settings: ConsoleSettings, door: "NewDoor") -> str:
    """Makes a door."""
    from console.doors.commands import add_door

    async with _schema(settings) as database:
        is_ready = await add_door(database, door)
    match door.driver:
        case "dlock":
            text = f"Made the door {door.key} at the old door controller."
            missing = settings.legacy.dlock_url is None
            remedy = "It can't be opened until [legacy] dlock_url is set."
        case "mqtt":
            text = f"Made the door {door.key}: {settings.mqtt.legacy_door_prefix}{door.topic}."
            missing = settings.mqtt.url is None
            remedy = "The console's own broker lets only controllers in: [mqtt] url names another."
        case _:
            text = f"Made the door {door.key} at the controller {door.controller}."
            missing = not is_ready
            remedy = (
                "That controller is not enrolled yet: "
                f"p2k16-console controllers enrol {door.controller} --out FILE"
            )
    return f"{text}\n{remedy}" if missing else text


async def run_doors_set(settings: ConsoleSettings, change: "DoorChange") -> str:
    """Changes a door; says what holds now."""
    from console.doors.about import about
    from console.doors.changing import change_door

    async with _schema(settings) as database:
        door = await change_door(database, change)
    if door.controller is None:
        return f"Changed the door {door.key}: it is unlocked for {door.open_seconds} s."
    now = about(door, zone=settings.site.time_zone)
    return (
        f"Changed the door {door.key}. Its controller knows within a second.\n"
        f"Unlocked for: {door.open_seconds} s\n"
        f"Cards: {now.cards}\n"
        f"Stands open: {now.hours or 'at no hours'}\n"
        f"Without the console: {now.without_console}"
    )


async def run_tools_attach(settings: ConsoleSettings, attachment: "Attachment") -> str:
    """Has a controller power a tool."""
    from console.tools.attaching import attach_tool

    async with _schema(settings) as database:
        done = await attach_tool(database, attachment)
    at = attachment.controller
    lines = [f"{at} powers {done.name} as {attachment.key}."]
    if not done.has_circle:
        lines.append("It has no circle, so nobody can use it.")
    if not done.is_enrolled:
        lines.append(
            f"That controller is not enrolled yet: p2k16-console controllers enrol {at} --out FILE"
        )
    return "\n".join(lines)


async def run_tools_detach(settings: ConsoleSettings, key: str) -> str:
    """Has no controller power a tool any more."""
    from console.tools.attaching import detach_tool

    async with _schema(settings) as database:
        name = await detach_tool(database, key)
    return f"No controller powers {name} any more. It is locked within a second."


async def run_cards_break_glass(
    settings: ConsoleSettings, *, username: str, card: str, is_break_glass: bool
) -> str:
    """Marks a card, or takes the mark away."""
    from console.cards.break_glass import set_break_glass

    async with _schema(settings) as database:
        name = await set_break_glass(
            database, username=username, card=card, is_break_glass=is_break_glass
        )
    if not is_break_glass:
        return f"{username}'s card {name} is an ordinary one."
    return (
        f"{username}'s card {name} is a break-glass card: it opens what she may open, however long "
        "the console has been away."
    )


async def run_controllers_enrol(
    settings: ConsoleSettings, *, name: str, broker: str | None, out: Path, replace: bool
) -> str:
    """Enrols a controller and writes its bundle."""
    from console.controllers.enrol import broker_url_for_bundle, enrol, refuse_name

    controller = controller_id(name)
    refuse_name(controller, settings.mqtt)
    url = broker_url_for_bundle(broker, settings.mqtt)
    async with _schema_and_keys(settings) as (database, keys):
        enrolled = await enrol(
            database,
            keys,
            controller=controller,
            broker=url,
            prefix=settings.mqtt.prefix,
            out=out,
            replace=replace,
        )
    lines = [
        f"Enrolled {name}. Its bundle is {out}: whoever has that file is this controller.",
        f"It connects to {enrolled.broker_url}.",
    ]
    if not enrolled.is_encrypted and not enrolled.is_loopback:
        lines.append(
            "That is not encrypted, so the controller refuses it unless its settings say "
            "[mqtt] allow_plaintext = true."
        )
    if settings.mqtt.url is not None:
        lines.append("Run p2k16-console broker-config again, and reload Mosquitto.")
    return "\n".join(lines)


@asynccontextmanager
async def _schema(settings: ConsoleSettings) -> AsyncGenerator[Database]:
    async with open_database(settings, must_answer=True) as database:
        await prepare_schema(database)
        yield database


@asynccontextmanager
async def _schema_and_keys(
    settings: ConsoleSettings,
) -> AsyncGenerator[tuple[Database, SiteKeys]]:
    async with open_database(settings, must_answer=True) as database:
        keys = await prepare(database, settings.data_dir, now_ms=unix_ms(), notice=notice)
        yield database, keys
