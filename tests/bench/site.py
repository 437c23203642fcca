"""A makerspace to measure: a console, and one controller with several doors and many cards."""

import compileall
import json
import os
import re
import subprocess
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from console.site_keys import load_site_keys
from sync.credential import Credential, CredentialType, site_digest
from tests.bench.fittings import Fittings, bare_doors
from tests.support.brokers import Mosquitto, free_port, require_program
from tests.support.building import BIN, Console, Program
from tests.support.serial_line import SerialLine
from tests.support.waiting import eventually_sync

ROOT = Path(__file__).parents[2]


@dataclass
class Site:
    """What is measured. `cards`: ten hex digits each; all belong to one paying member."""

    console: Console
    daemon: Program
    data_dir: Path
    trace: Path
    lines: dict[str, SerialLine]
    cards: list[str]
    database_url: str

    def status(self) -> dict[str, Any]:
        """What `p2k16-edge status --json` prints; {} without a daemon."""
        asked = subprocess.run(
            [BIN / "p2k16-edge", "status", "--json", "--config", self.data_dir / "edge.toml"],
            capture_output=True,
            check=False,
        )
        return json.loads(asked.stdout) if asked.returncode == 0 else {}

    def serial(self) -> int:
        """The serial of the rights in force."""
        return int(self.status().get("applied", {}).get("serial", 0))

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """One statement, committed."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []


class TraceReader:
    """Waits for the next line of the guard's trace.

    Seldom enough not to take the processor from what is measured: the line itself says when.
    """

    def __init__(self, path: Path) -> None:
        path.touch()
        self._file = path.open()
        self._file.seek(0, os.SEEK_END)

    def next_change(self, point: str, relay: str, *, seconds: float = 5) -> int:
        """The monotonic time in ns at which the point's relay next became `relay`."""
        return eventually_sync(lambda: self.change(point, relay), seconds=seconds, every=0.05)

    def change(self, point: str, relay: str) -> int | None:
        """The same, if that has happened by now."""
        lines = [json.loads(line) for line in self._file.readlines()]
        found = [x["mono_ns"] for x in lines if (x["point"], x["relay"]) == (point, relay)]
        return found[0] if found else None

    def skip(self) -> None:
        """Passes over what has happened so far."""
        self._file.seek(0, os.SEEK_END)


@contextmanager
def site(
    folder: Path,
    database_url: str,
    *,
    doors: int = 6,
    fittings: Fittings | None = None,
    cards: int = 200,
    entries: int = 0,
    edge_dir: Path | None = None,
    with_mosquitto: bool = False,
) -> Generator[Site]:
    """Everything runs and the rights are in force.

    `fittings`: in place of so many bare `doors`. `entries`: so many cards are in the rights, at
    least `cards`. `edge_dir`: the controller's data folder.
    """
    port = free_port()
    mqtt_url = f"mqtt://console:secret-of-the-bench@127.0.0.1:{port}" if with_mosquitto else None
    console = Console(folder, database_url, mqtt_url)
    console.environment = as_installed(folder, "p2k16-console")
    edge_dir = edge_dir or folder
    trace = folder / "trace.jsonl"
    config = edge_dir / "edge.toml"
    with ExitStack() as stack:
        fitted = fittings or stack.enter_context(bare_doors(doors))
        daemon = Program(
            [str(BIN / "p2k16-edge"), "run", "--config", str(config)],
            folder / "edge.log",
            {
                "GPIOZERO_PIN_FACTORY": "mock",
                "P2K16_GUARD_TRACE": str(trace),
                **as_installed(folder, "p2k16-edge"),
                **fitted.environment,
            },
        )
        numbers = [f"{n:010X}" for n in range(0x0100000000, 0x0100000000 + cards)]
        whole = Site(console, daemon, edge_dir, trace, fitted.lines, numbers, database_url)
        bundle = edge_dir / "bundle.json"
        config.write_text(
            f'data_dir = "{edge_dir / "edge"}"\nbundle = "{bundle}"\n{fitted.settings}'
        )
        console.run("migrate")
        console.add_account("kari", "door")
        console.run("controllers", "enrol", "bench-pi", "--out", str(bundle))
        _add_points(whole, fitted)
        _give_rights(whole, folder / "console")
        _add_others(whole, cards=entries - cards)
        if with_mosquitto:
            _start_mosquitto(stack, console, folder, port)
        stack.callback(console.end)
        console.start()
        stack.callback(daemon.end)
        daemon.start()
        eventually_sync(lambda: whole.serial() >= 1, seconds=120, every=0.1)
        yield whole


def as_installed(folder: Path, unit: str) -> dict[str, str]:
    """The environment that a program has where its unit of systemd runs it.

    What only development brings can't be imported, though structlog takes what it finds: rich
    (5 MB) and greenlet. And the program is compiled, as pip and `make setup` leave it.
    """
    for package in ("console", "edge", "sync"):
        compileall.compile_dir(ROOT / package, quiet=1)
    blocked = folder / "blocked"
    blocked.mkdir(exist_ok=True)
    for library in ("rich", "greenlet"):
        (blocked / f"{library}.py").write_text('raise ImportError("not where it is installed")\n')
    text = (ROOT / "systemd" / f"{unit}.service").read_text()
    by_unit = re.findall(r"^Environment=(\w+)=(.*)$", text, re.MULTILINE)
    kept = {name: value for name, value in by_unit if not name.startswith("P2K16_")}
    return {**kept, "PYTHONPATH": str(blocked)}


def _start_mosquitto(stack: ExitStack, console: Console, folder: Path, port: int) -> None:
    console.run("broker-config", "--out", str(folder / "broker"))
    broker = Mosquitto(
        require_program("mosquitto"),
        folder,
        folder / "broker" / "passwords",
        folder / "broker" / "acl",
        port,
    )
    stack.callback(broker.stop_now)
    broker.start_now()


def _add_points(whole: Site, fitted: Fittings) -> None:
    for key in fitted.doors:
        whole.console.run(
            *("doors", "add", key, "--name", key, "--circle", "door"),
            *("--controller", "bench-pi", "--open-seconds", "1"),
        )
    for key in fitted.tools:
        whole.sql(
            "INSERT INTO tool_description (created_at, created_by, updated_at, updated_by, name,"
            " circle) SELECT now(), a.id, now(), a.id, %s, c.id FROM account a, circle c"
            " WHERE a.username = 'kari' AND c.name = 'door'",
            key,
        )
        whole.console.run("tools", "attach", key, key, "--controller", "bench-pi")


def _give_rights(whole: Site, console_dir: Path) -> None:
    keys = load_site_keys(console_dir)
    assert keys is not None
    kari = whole.sql("SELECT id FROM account WHERE username = 'kari'")[0][0]
    whole.sql(
        "INSERT INTO stripe_payment (created_at, created_by, updated_at, updated_by, stripe_id,"
        " start_date, end_date, amount) VALUES (now(), %s, now(), %s, 'in_1',"
        " now() - interval '1 day', now() + interval '30 days', 500)",
        kari,
        kari,
    )
    for number in whole.cards:
        card = Credential(CredentialType.EM4100, bytes.fromhex(number))
        whole.sql(
            "INSERT INTO access.card (account, credential_type, site_digest)"
            " VALUES (%s, 'em4100', %s)",
            kari,
            site_digest(card, keys.site_salt),
        )


def _add_others(whole: Site, *, cards: int) -> None:
    """So many cards of members who never come, two for each, with payments that end on some day.

    Their digests are random: to hash as many card numbers would take minutes, and change nothing.
    """
    if cards <= 0:
        return
    members = (cards + 1) // 2
    whole.sql(
        "INSERT INTO account (created_at, updated_at, username, email, name, system)"
        " SELECT now(), now(), 'm' || n, 'm' || n || '@example.org', 'M ' || n, false"
        " FROM generate_series(1, %s) n",
        members,
    )
    whole.sql(
        "INSERT INTO circle_member (created_at, created_by, updated_at, updated_by, circle,"
        " account) SELECT now(), a.id, now(), a.id, c.id, a.id FROM account a, circle c"
        " WHERE a.username LIKE 'm%%' AND c.name = 'door'"
    )
    whole.sql(
        "INSERT INTO stripe_payment (created_at, created_by, updated_at, updated_by, stripe_id,"
        " start_date, end_date, amount) SELECT now(), a.id, now(), a.id, 'in_' || a.username,"
        " now() - interval '1 day', now() + a.id %% 28 * interval '1 day' + interval '2 days', 500"
        " FROM account a WHERE a.username LIKE 'm%%'"
    )
    whole.sql(
        "INSERT INTO access.card (account, credential_type, site_digest)"
        " SELECT a.id, 'em4100', decode(md5(n::text), 'hex') FROM generate_series(0, %s - 1) n"
        " JOIN account a ON a.username = 'm' || (n / 2 + 1)",
        cards,
    )


def pss_mb(pid: int) -> float:
    """Proportional set size: private memory and the process's share of what others share."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return round(int(rollup.split("Pss:")[1].split()[0]) / 1024, 1)
