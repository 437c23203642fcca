"""A makerspace to measure: a console, and one controller with several doors and many cards."""

import json
import os
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from console.site_keys import load_site_keys
from sync.credential import Credential, CredentialType, site_digest
from tests.support.brokers import Mosquitto, free_port, require_program
from tests.support.building import BIN, Console, Program
from tests.support.serial_line import SerialLine
from tests.support.waiting import eventually_sync


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
        changes = eventually_sync(lambda: self._matching(point, relay), seconds=seconds, every=0.05)
        return changes[0]

    def _matching(self, point: str, relay: str) -> list[int]:
        lines = [json.loads(line) for line in self._file.readlines()]
        return [x["mono_ns"] for x in lines if (x["point"], x["relay"]) == (point, relay)]


@contextmanager
def site(
    folder: Path,
    database_url: str,
    *,
    doors: int = 6,
    cards: int = 200,
    edge_dir: Path | None = None,
    with_mosquitto: bool = False,
) -> Generator[Site]:
    """Everything runs and the rights are in force. `edge_dir`: the controller's data folder."""
    port = free_port()
    mqtt_url = f"mqtt://console:secret-of-the-bench@127.0.0.1:{port}" if with_mosquitto else None
    console = Console(folder, database_url, mqtt_url)
    broker: Mosquitto | None = None
    edge_dir = edge_dir or folder
    trace = folder / "trace.jsonl"
    lines = {f"door-{n}": SerialLine() for n in range(doors)}
    config = edge_dir / "edge.toml"
    daemon = Program(
        [str(BIN / "p2k16-edge"), "run", "--config", str(config)],
        folder / "edge.log",
        {"GPIOZERO_PIN_FACTORY": "mock", "P2K16_GUARD_TRACE": str(trace)},
    )
    try:
        console.run("migrate")
        console.add_account("kari", "door")
        bundle = edge_dir / "bundle.json"
        console.run("controllers", "enrol", "bench-pi", "--out", str(bundle))
        for key in lines:
            console.run(
                *("doors", "add", key, "--name", key, "--circle", "door"),
                *("--controller", "bench-pi", "--open-seconds", "1"),
            )
        config.write_text(
            f'data_dir = "{edge_dir / "edge"}"\nbundle = "{bundle}"\n'
            + "".join(
                f'[[door]]\nkey = "{key}"\nreader.driver = "rdm6300"\n'
                f'reader.port = "{line.path}"\nrelay.pin = {10 + number}\n'
                for number, (key, line) in enumerate(lines.items())
            )
        )
        numbers = [f"{n:010X}" for n in range(0x0100000000, 0x0100000000 + cards)]
        whole = Site(console, daemon, edge_dir, trace, lines, numbers, database_url)
        _give_rights(whole, folder / "console")
        if with_mosquitto:
            console.run("broker-config", "--out", str(folder / "broker"))
            broker = Mosquitto(
                require_program("mosquitto"),
                folder,
                folder / "broker" / "passwords",
                folder / "broker" / "acl",
                port,
            )
            broker.start_now()
        console.start()
        daemon.start()
        eventually_sync(lambda: whole.serial() >= 1, seconds=30, every=0.1)
        yield whole
    finally:
        daemon.end()
        console.end()
        if broker is not None:
            broker.stop_now()
        for line in lines.values():
            line.close()


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


def pss_mb(pid: int) -> float:
    """Proportional set size: private memory and the process's share of what others share."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return round(int(rollup.split("Pss:")[1].split()[0]) / 1024, 1)
