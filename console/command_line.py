"""The commands of `p2k16-console` about accounts, cards, doors, tools and controllers: how each is
written, and which feature does it.

Imports of features stand inside, so that a command loads only what it needs.
"""

import argparse
import asyncio
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from console.settings import ConsoleSettings

if TYPE_CHECKING:
    from console.rights.demanding import Given

Asked = argparse.Namespace
YES, NO = "yes", "no"
YES_OR_NO = (YES, NO)


class Commands(Protocol):
    """What `add_subparsers` gives; argparse has no public name for it."""

    def add_parser(
        self,
        name: str,
        *,
        parents: Sequence[argparse.ArgumentParser],
        help: str,  # noqa: A002
    ) -> argparse.ArgumentParser:
        """A command."""
        ...


def add_groups(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Adds them to the command line. `common`: the options that each of them has."""
    accounts = commands.add_parser("accounts", parents=[common], help="people who can log in")
    _add_accounts(accounts, common)
    cards = commands.add_parser("cards", parents=[common], help="whose card is whose")
    _add_cards(cards, common)
    doors = commands.add_parser("doors", parents=[common], help="what is opened")
    _add_doors(doors, common)
    tools = commands.add_parser("tools", parents=[common], help="tools that controllers power")
    _add_tools(tools, common)
    controllers = commands.add_parser("controllers", parents=[common], help="devices at the doors")
    _add_controllers(controllers, common)


def warn(words: str) -> None:
    """Tells the person at the prompt what she may want to know."""
    sys.stderr.write(f"p2k16-console: {words}\n")


def say(work: Coroutine[None, None, str]) -> None:
    """Does it, and writes what was done."""
    sys.stdout.write(f"{asyncio.run(work)}\n")


def _accounts_add(settings: ConsoleSettings, asked: Asked) -> None:
    from getpass import getpass

    from console.commands import run_accounts_add
    from console.people.commands import read_new_password

    say(
        run_accounts_add(
            settings,
            username=asked.username,
            email=asked.email,
            name=asked.name,
            circles=asked.circle,
            password=read_new_password(sys.stdin, getpass, warn),
        )
    )


def _cards_assign(settings: ConsoleSettings, asked: Asked) -> None:
    from console.commands import run_cards_assign

    say(
        run_cards_assign(
            settings, username=asked.username, credential=asked.credential, label=asked.label
        )
    )


def _doors_add(settings: ConsoleSettings, asked: Asked) -> None:
    from console.commands import run_doors_add
    from console.doors.commands import NewDoor

    door = NewDoor(
        key=asked.key,
        name=asked.name,
        circles=asked.circle,
        open_seconds=asked.open_seconds,
        driver=asked.driver,
        controller=asked.controller,
        topic=asked.topic,
    )
    say(run_doors_add(settings, door))


def _controllers_enrol(settings: ConsoleSettings, asked: Asked) -> None:
    from console.commands import run_controllers_enrol

    say(
        run_controllers_enrol(
            settings,
            name=asked.name,
            broker=asked.broker,
            out=asked.out,
            replace=asked.replace,
        )
    )


def _doors_set(settings: ConsoleSettings, asked: Asked) -> None:
    from console.commands import run_doors_set
    from console.doors.changing import DoorChange

    change = DoorChange(asked.key, _given(asked), asked.open_seconds, asked.open_hours)
    say(run_doors_set(settings, change))


def _tools_attach(settings: ConsoleSettings, asked: Asked) -> None:
    from console.commands import run_tools_attach
    from console.tools.attaching import Attachment

    attachment = Attachment(asked.tool, asked.key, asked.controller, _given(asked))
    say(run_tools_attach(settings, attachment))


def _tools_detach(settings: ConsoleSettings, asked: Asked) -> None:
    from console.commands import run_tools_detach

    say(run_tools_detach(settings, asked.key))


def _cards_break_glass(settings: ConsoleSettings, asked: Asked) -> None:
    from console.commands import run_cards_break_glass

    say(
        run_cards_break_glass(
            settings, username=asked.username, card=asked.card, is_break_glass=asked.mark == YES
        )
    )


def _given(asked: Asked) -> "Given":
    from console.rights.demanding import Given

    fresh = None if asked.requires_fresh is None else asked.requires_fresh == YES
    return Given(asked.soft_hours, asked.hard_days, fresh, asked.min_assurance)


def _add_accounts(accounts: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    actions = accounts.add_subparsers(required=True, metavar="ACTION")
    add = actions.add_parser(
        "add",
        parents=[common],
        help="make an account; asks for its password, or reads it twice from standard input",
    )
    add.add_argument("username", metavar="USERNAME")
    add.add_argument("--email", required=True)
    add.add_argument("--name", required=True)
    add.add_argument("--circle", action="append", default=[], help="may be given several times")
    add.set_defaults(command=_accounts_add)


def _add_cards(cards: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    actions = cards.add_subparsers(required=True, metavar="ACTION")
    assign = actions.add_parser("assign", parents=[common], help="give somebody a card")
    assign.add_argument("username", metavar="USERNAME")
    assign.add_argument(
        "credential", metavar="CREDENTIAL", help="em4100:0102345678, iso14443a:04112233445580"
    )
    assign.add_argument("--label", default="", help="what people call it, such as “blue fob”")
    assign.set_defaults(command=_cards_assign)
    mark = actions.add_parser(
        "break-glass",
        parents=[common],
        help="whether a card works however old a controller's rights are; at most five do",
    )
    mark.add_argument("username", metavar="USERNAME")
    mark.add_argument("card", metavar="CARD", help="its label, or its number")
    mark.add_argument("mark", choices=YES_OR_NO)
    mark.set_defaults(command=_cards_break_glass)


def _add_doors(doors: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    actions = doors.add_subparsers(required=True, metavar="ACTION")
    add = actions.add_parser("add", parents=[common], help="make a door")
    add.add_argument("key", metavar="KEY", help="1 to 32 of a-z, 0-9 and -")
    add.add_argument("--name", required=True, help="what people call it")
    add.add_argument(
        "--circle",
        action="append",
        required=True,
        help="whose paying members may open it; may be given several times",
    )
    add.add_argument(
        "--driver",
        choices=("controller", "dlock", "mqtt"),
        default="controller",
        help="what moves it: a controller, or what the old web application drove",
    )
    add.add_argument("--controller", metavar="NAME", help="for --driver controller")
    add.add_argument("--topic", help="for --driver mqtt: what follows [mqtt] legacy_door_prefix")
    add.add_argument("--open-seconds", type=int, default=5, metavar="SECONDS")
    add.set_defaults(command=_doors_add)
    change = actions.add_parser("set", parents=[common], help="change what holds for a door")
    change.add_argument("key", metavar="KEY")
    _add_demands(change)
    change.add_argument("--open-seconds", type=int, metavar="SECONDS")
    change.add_argument(
        "--open-hours",
        metavar="HOURS",
        help="when it stands unlocked for everybody: “tue 18:00-22:00, sat 12:00-16:00”, or none",
    )
    change.set_defaults(command=_doors_set)


def _add_tools(tools: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    actions = tools.add_subparsers(required=True, metavar="ACTION")
    attach = actions.add_parser("attach", parents=[common], help="have a controller power a tool")
    attach.add_argument("tool", metavar="TOOL", help="its name, or its number")
    attach.add_argument("key", metavar="KEY", help="1 to 32 of a-z, 0-9 and -")
    attach.add_argument("--controller", required=True, metavar="NAME")
    _add_demands(attach)
    attach.set_defaults(command=_tools_attach)
    detach = actions.add_parser("detach", parents=[common], help="have no controller power it")
    detach.add_argument("key", metavar="KEY")
    detach.set_defaults(command=_tools_detach)


def _add_demands(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--soft-hours", type=int, metavar="HOURS", help="without the console: then no open hours"
    )
    parser.add_argument(
        "--hard-days", type=int, metavar="DAYS", help="without it: then break-glass cards only"
    )
    parser.add_argument(
        "--requires-fresh", choices=YES_OR_NO, help="whether nobody gets in after --soft-hours"
    )
    parser.add_argument(
        "--min-assurance",
        type=int,
        choices=(0, 1, 2),
        help="of cards: 0 any, 1 with a second factor, 2 that prove themselves",
    )


def _add_controllers(controllers: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    actions = controllers.add_subparsers(required=True, metavar="ACTION")
    enrol = actions.add_parser("enrol", parents=[common], help="make the bundle of a controller")
    enrol.add_argument("name", metavar="NAME", help="1 to 32 of a-z, 0-9 and -")
    enrol.add_argument(
        "--broker", metavar="URL", help="where it finds the broker: mqtt://HOST or mqtts://HOST"
    )
    enrol.add_argument("--out", type=Path, required=True, metavar="FILE")
    enrol.add_argument(
        "--replace",
        action="store_true",
        help="give a controller new keys that is enrolled already",
    )
    enrol.set_defaults(command=_controllers_enrol)
