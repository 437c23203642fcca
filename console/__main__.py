"""`p2k16-console`: reads the command line, and starts what it asks for.

Exit status: 0 done, 1 not done (one line on standard error says why), 2 wrong command line or
settings (all mistakes are told). Each command loads only what it needs.
"""

import argparse
import asyncio
import logging
import os
import sys
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path

from console.errors import ConsoleError
from console.logs import log_to
from console.settings import ConsoleSettings, load_settings
from sync.errors import WireError
from sync.settings_table import Address, SettingsError

Asked = argparse.Namespace
Command = Callable[[ConsoleSettings, Asked], int | None]


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; gives the exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    for word in words:
        if not _is_text(word):
            sys.stderr.write(f"p2k16-console: the command line is not UTF-8: {word!r}\n")
            return 2
    asked = _parser().parse_args(words)
    try:
        settings = load_settings(getattr(asked, "config", None), os.environ)
        log_to(sys.stderr, level=logging.WARNING)
        command: Command = asked.command
        return command(settings, asked) or 0
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except (ConsoleError, WireError) as error:
        sys.stderr.write(f"p2k16-console: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def _serve(settings: ConsoleSettings, _asked: Asked) -> None:
    from console.commands import notice
    from console.daemon import serve

    log_to(sys.stdout)
    asyncio.run(serve(settings, notice=notice))


def _demo(settings: ConsoleSettings, asked: Asked) -> None:
    from console.demo.run import demo

    if asked.listen is not None:
        settings = replace(settings, http=replace(settings.http, listen=asked.listen))
    asyncio.run(demo(settings))


def _migrate(settings: ConsoleSettings, asked: Asked) -> None:
    from console.commands import is_to_be_removed, run_migrate, run_remove

    if not asked.remove:
        _say(run_migrate(settings))
    elif is_to_be_removed(settings):
        _say(run_remove(settings))
    else:
        raise ConsoleError("nothing was changed")


def _parity(settings: ConsoleSettings, asked: Asked) -> int:
    from console.commands import run_parity

    text, is_equal = asyncio.run(run_parity(settings, as_json=asked.json))
    sys.stdout.write(f"{text}\n")
    return 1 if asked.check and not is_equal else 0


def _broker_config(settings: ConsoleSettings, asked: Asked) -> None:
    from console.commands import run_broker_config

    _say(run_broker_config(settings, out=asked.out))


def _accounts_add(settings: ConsoleSettings, asked: Asked) -> None:
    from getpass import getpass

    from console.commands import run_accounts_add
    from console.people.commands import read_new_password

    _say(
        run_accounts_add(
            settings,
            username=asked.username,
            email=asked.email,
            name=asked.name,
            circles=asked.circle,
            password=read_new_password(sys.stdin, getpass, _warn),
        )
    )


def _cards_assign(settings: ConsoleSettings, asked: Asked) -> None:
    from console.commands import run_cards_assign

    _say(
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
    _say(run_doors_add(settings, door))


def _controllers_enrol(settings: ConsoleSettings, asked: Asked) -> None:
    from console.commands import run_controllers_enrol

    _say(
        run_controllers_enrol(
            settings,
            name=asked.name,
            broker=asked.broker,
            out=asked.out,
            replace=asked.replace,
        )
    )


def _is_text(word: str) -> bool:
    """Whether the bytes that were typed are UTF-8: Python lets others in, the database doesn't."""
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True


def _address(text: str) -> Address:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise argparse.ArgumentTypeError("expected HOST:PORT, such as 127.0.0.1:8017")
    return Address(host, int(port))


def _say(work: Coroutine[None, None, str]) -> None:
    sys.stdout.write(f"{asyncio.run(work)}\n")


def _warn(words: str) -> None:
    sys.stderr.write(f"p2k16-console: {words}\n")


def _parser() -> argparse.ArgumentParser:
    # Absent where it isn't given, so that the same option of a deeper level doesn't undo it.
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        default=argparse.SUPPRESS,
        help="settings; default: /etc/p2k16/console.toml, if it exists",
    )
    parser = argparse.ArgumentParser(
        prog="p2k16-console", description="The console of a makerspace.", parents=[common]
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", parents=[common], help="serve pages, publish rights")
    serve.set_defaults(command=_serve)

    migrate = commands.add_parser("migrate", parents=[common], help="create or update the tables")
    migrate.add_argument(
        "--remove",
        action="store_true",
        help="take out of the database what migrate has put in, but for the old web app's tables",
    )
    migrate.set_defaults(command=_migrate)

    parity = commands.add_parser(
        "parity", parents=[common], help="compare the old web app's rule with ours, for everybody"
    )
    parity.add_argument("--json", action="store_true", help="for a program")
    parity.add_argument("--check", action="store_true", help="exit with 1 if they differ")
    parity.set_defaults(command=_parity)

    demo = commands.add_parser(
        "demo", parents=[common], help="a made-up makerspace with two virtual controllers"
    )
    demo.add_argument("--listen", type=_address, metavar="HOST:PORT", help="for its pages")
    demo.set_defaults(command=_demo)

    broker = commands.add_parser(
        "broker-config", parents=[common], help="password and ACL files for Mosquitto"
    )
    broker.add_argument("--out", type=Path, required=True, metavar="DIR")
    broker.set_defaults(command=_broker_config)

    accounts = commands.add_parser("accounts", parents=[common], help="people who can log in")
    _add_accounts(accounts, common)
    cards = commands.add_parser("cards", parents=[common], help="whose card is whose")
    _add_cards(cards, common)
    doors = commands.add_parser("doors", parents=[common], help="what is opened")
    _add_doors(doors, common)
    controllers = commands.add_parser("controllers", parents=[common], help="devices at the doors")
    _add_controllers(controllers, common)
    return parser


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


if __name__ == "__main__":
    sys.exit(main())
