"""`p2k16-edge run|check|status|…`: what a person may ask of a controller.

Each command imports only what it needs: the daemon has to be small, and status has to be quick.
"""

import argparse
import json
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

from edge import VERSION, stdio
from edge.errors import EdgeError
from edge.finding import Finding
from edge.settings import DEFAULT_FILE, EdgeSettings, load_settings
from sync.settings_table import SettingsError

DONE, FAILED, BAD_SETTINGS, INTERRUPTED = 0, 1, 2, 130
"""Exit codes. Source of the last: 128 and the number of SIGINT, as shells have it."""


def main() -> None:
    """The program. Exits with 0, 1 for what failed, or 2 for mistakes in settings or arguments."""
    stdio.repair()
    code = _main(sys.argv[1:])
    sys.exit(code if stdio.is_written() else FAILED)


def _main(arguments: list[str]) -> int:
    try:
        options = _parser().parse_args(arguments)
    except SystemExit as ended:  # it has told its help, or a mistake
        return int(ended.code or DONE)
    path: Path | None = getattr(options, "config", None)
    try:
        settings = load_settings(path, os.environ)
    except SettingsError as error:
        if options.command == "check":
            return _tell_mistakes(error)
        for mistake in error.mistakes:
            stdio.complain(f"{error.source}: {mistake}")
        return BAD_SETTINGS
    try:
        match options.command:
            case "run":
                return _run(settings)
            case "check":
                return _check(settings, str(path or DEFAULT_FILE))
            case "status":
                return _status(settings, as_json=options.json)
            case _:
                return _technician(settings, options)
    except EdgeError as error:
        stdio.complain(str(error))
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        # What it can't read or ask, each command explains.
        if options.command == "run" or error.filename is not None:
            raise
        stdio.give_up(error)
        return FAILED


def _parser() -> argparse.ArgumentParser:
    # --config may stand before the command and after it; SUPPRESS keeps the second from hiding the
    # first.
    config = argparse.ArgumentParser(add_help=False)
    config.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        default=argparse.SUPPRESS,
        help=f"settings (default: {DEFAULT_FILE})",
    )
    parser = argparse.ArgumentParser(
        "p2k16-edge",
        description="The controller of doors and tools.",
        epilog="Tables in a terminal, JSON when piped. Exits with 0, with 1 for what failed, and "
        "with 2 for mistakes in settings or arguments. More in docs/operating.md.",
        parents=[config],
    )
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser(
        "run",
        parents=[config],
        help="run the daemon",
        description="Runs until SIGTERM or SIGINT; then relays off.",
    )
    commands.add_parser(
        "check",
        parents=[config],
        help="look whether it could run",
        description="Looks at settings, folder, keys, store, clock, ports, pins, enrolment and "
        "broker, and tells everything at once. Beside a running daemon, too.",
    )
    status = commands.add_parser(
        "status",
        parents=[config],
        help="ask the running daemon",
        description="What the running daemon says of itself; lines that begin with ! are faults.",
    )
    status.add_argument("--json", action="store_true", help="print the whole answer as JSON")
    journal = commands.add_parser(
        "journal",
        parents=[config],
        help="what was recorded",
        description="The newest events of the controller's own record, the oldest of them first, "
        "with or without a running daemon. Times are UTC; a ? marks those of the system's clock, "
        "from before the console had told the time.",
    )
    journal.add_argument(
        "--last", type=_up_to(10_000), default=50, metavar="N", help="how many events (default: 50)"
    )
    rights = commands.add_parser(
        "rights",
        parents=[config],
        help="what would be said to a card held now; nothing opens",
        description="Waits for the next card at a reader of the running daemon, and says what it "
        "would answer. Nothing opens, and nothing is recorded.",
    )
    rights.add_argument("point", metavar="POINT", help="a door or a tool of this controller")
    rights.add_argument(
        "--seconds", type=_up_to(120), default=30, metavar="N", help="to wait (default: 30)"
    )
    test = commands.add_parser(
        "self-test",
        parents=[config],
        help="move a relay for an instant",
        description="Moves the relay of a locked point for less than half a second, and times it. "
        "It asks first, and is recorded.",
    )
    test.add_argument("point", metavar="POINT", help="a door or a tool of this controller")
    test.add_argument("--yes", action="store_true", help="don't ask")
    bundle = commands.add_parser(
        "import",
        parents=[config],
        help="take a bundle over",
        description="Makes this machine the controller that the bundle is for, and deletes the "
        "file. Restart the daemon if it runs.",
    )
    bundle.add_argument(
        "bundle", type=Path, metavar="BUNDLE", help="what p2k16-console controllers enrol wrote"
    )
    commands.add_parser(
        "outputs-off",
        parents=[config],
        help="drive every relay low; for ExecStopPost",
        description="Drives every relay low, and lets go. Fails while a daemon has the pins.",
    )
    return parser


def _run(settings: EdgeSettings) -> int:
    # structlog imports rich wherever it is installed, and with it 5 MB for tracebacks that no
    # controller prints. A name that leads to None can't be imported.
    cast("dict[str, object]", sys.modules).setdefault("rich", None)
    import asyncio

    from edge.daemon import run
    from edge.log import configure_logging

    configure_logging(sys.stdout)
    asyncio.run(run(settings))
    return DONE


def _check(settings: EdgeSettings, source: str) -> int:
    from edge.check import check

    findings = [_tell(finding) for finding in check(settings, source)]
    return FAILED if any(finding.is_failure for finding in findings) else DONE


def _tell_mistakes(error: SettingsError) -> int:
    from edge.check import mistakes

    for finding in mistakes(error):
        _tell(finding)
    return BAD_SETTINGS


def _tell(finding: Finding) -> Finding:
    line = str(finding) if sys.stdout.isatty() else json.dumps(finding.document())
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
    return finding


def _up_to(most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or not 1 <= int(text[:9]) <= most:
            raise argparse.ArgumentTypeError(
                f"expected a whole number from 1 to {most}; got {text}"
            )
        return int(text)

    return number


def _technician(settings: EdgeSettings, options: argparse.Namespace) -> int:
    from edge import technician
    from edge.log import configure_logging

    configure_logging(sys.stderr, level=logging.WARNING)
    match options.command:
        case "journal":
            technician.show_journal(settings, last=options.last)
        case "rights":
            technician.show_rights(settings, point=options.point, seconds=options.seconds)
        case "self-test":
            technician.self_test(settings, point=options.point, is_sure=options.yes)
        case "import":
            technician.take_bundle(settings, options.bundle)
        case _:
            technician.outputs_off(settings)
    return DONE


def _status(settings: EdgeSettings, *, as_json: bool) -> int:
    from edge.asking import ask_state
    from edge.status import in_words

    state = ask_state(settings.data_dir)
    is_for_people = sys.stdout.isatty() and not as_json
    sys.stdout.write(f"{in_words(state) if is_for_people else json.dumps(state, indent=2)}\n")
    return DONE


if __name__ == "__main__":
    main()
