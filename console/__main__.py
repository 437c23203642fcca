"""`p2k16-console`: reads the command line, and starts what it asks for.

Exit status: 0 done, 1 not done (one line on standard error says why), 2 wrong command line or
settings (all mistakes are told). Each command loads only what it needs.
"""

import argparse
import asyncio
import logging
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from console.command_line import Asked, add_groups, say
from console.errors import ConsoleError
from console.logs import log_to
from console.settings import ConsoleSettings, load_settings
from sync.errors import WireError
from sync.settings_table import SettingsError
from sync.settings_values import Address

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
    # Pages tell the time in the zone that the operating system says is ours.
    os.environ["TZ"] = str(settings.site.time_zone)
    time.tzset()
    asyncio.run(serve(settings, notice=notice))


def _demo(settings: ConsoleSettings, asked: Asked) -> None:
    from console.demo.run import demo

    if asked.listen is not None:
        settings = replace(settings, http=replace(settings.http, listen=asked.listen))
    asyncio.run(demo(settings))


def _migrate(settings: ConsoleSettings, asked: Asked) -> None:
    from console.commands import is_to_be_removed, run_migrate, run_remove

    if not asked.remove:
        say(run_migrate(settings))
    elif is_to_be_removed(settings):
        say(run_remove(settings))
    else:
        raise ConsoleError("nothing was changed")


def _parity(settings: ConsoleSettings, asked: Asked) -> int:
    from console.commands import run_parity

    text, is_equal = asyncio.run(run_parity(settings, as_json=asked.json))
    sys.stdout.write(f"{text}\n")
    return 1 if asked.check and not is_equal else 0


def _broker_config(settings: ConsoleSettings, asked: Asked) -> None:
    from console.commands import run_broker_config

    say(run_broker_config(settings, out=asked.out))


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
        "demo", parents=[common], help="a made-up makerspace with three virtual controllers"
    )
    demo.add_argument("--listen", type=_address, metavar="HOST:PORT", help="for its pages")
    demo.set_defaults(command=_demo)

    broker = commands.add_parser(
        "broker-config", parents=[common], help="password and ACL files for Mosquitto"
    )
    broker.add_argument("--out", type=Path, required=True, metavar="DIR")
    broker.set_defaults(command=_broker_config)

    add_groups(commands, common)
    return parser


if __name__ == "__main__":
    sys.exit(main())
