"""The recorded requests of the old web app, replayed against the real console.

Also a program, to look at a part of them: `python -m tests.support.replay --only ' /data/circle'`.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import psycopg

from tests.support.brokers import free_port, require_program
from tests.support.building import BIN, Program, is_healthy
from tests.support.postgres import started_postgres
from tests.support.waiting import eventually_sync

RECORDED = Path(__file__).parents[1] / "legacy" / "recorded"
DOOR = ("doors", "add", "bv9-f2-entrance", "--driver", "dlock", "--name", "Entrance")


@dataclass(frozen=True)
class Ports:
    """Where the sinks of the replay listen, and what it drives."""

    http: int
    broker: int
    dlock: int
    smtp: int
    stripe: int


@dataclass(frozen=True)
class OldApi:
    """A console that is set up as the recordings want it."""

    folder: Path
    database_url: str
    ports: Ports

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports.http}"

    @property
    def broker_url(self) -> str:
        return f"mqtt://127.0.0.1:{self.ports.broker}"

    @property
    def config(self) -> Path:
        return self.folder / "console.toml"

    def configure(self, *, further: str = "") -> None:
        ports = self.ports
        self.config.write_text(
            f'data_dir = "{self.folder / "console"}"\n'
            f'[http]\nlisten = "127.0.0.1:{ports.http}"\npublic_url = "{self.url}"\n'
            f'[database]\nurl = "{self.database_url}"\n'
            f'[mqtt]\nurl = "{self.broker_url}"\nlegacy_door_prefix = "public/p2k16-dev/"\n'
            'legacy_tool_prefix = "public/p2k16-dev/tool"\n'
            'legacy_label_prefix = "/public/p2k16-dev/label"\n'
            "[login]\nfailures_per_minute = 1000000\n"
            '[stripe]\nsecret_key = "sk_test_replay"\nwebhook_secret = "whsec_replay"\n'
            f'api_base = "http://127.0.0.1:{ports.stripe}"\nmax_network_retries = 0\n'
            f'[mail]\nsmtp_url = "smtp://127.0.0.1:{ports.smtp}"\n'
            f'[legacy]\ndlock_url = "http://127.0.0.1:{ports.dlock}"\ndlock_username = "dlock"\n'
            'dlock_password = "dlock"\ndlock_retries = 0\nopen_directory = true\n'
            'secret_key = "the old secret"\n' + further
        )

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [BIN / "p2k16-console", *arguments, "--config", self.config],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def prepare(self) -> None:
        """Tables, the accounts that recordings start with, and the door."""
        self.run("migrate")
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute((RECORDED / "seed-base.sql").read_bytes())
        self.run(*DOOR, "--circle", "door", "--open-seconds", "10")

    def replay(
        self, *arguments: str, report: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Sends everything; `arguments` are replay.py's."""
        ports = self.ports
        options = {
            "--base-url": self.url,
            "--database-url": self.database_url,
            "--recordings": RECORDED / "recordings-public.jsonl",
            "--seed": RECORDED / "seed-public.sql",
            "--mqtt": self.broker_url,
            "--listen-dlock": ports.dlock,
            "--listen-smtp": ports.smtp,
            "--listen-stripe": ports.stripe,
            "--webhook-secret": "whsec_replay",
            "--report": self.folder / "report.json",
        }
        return subprocess.run(
            [
                sys.executable,
                RECORDED / "replay.py",
                *(str(word) for option in options.items() for word in option),
                *arguments,
            ],
            capture_output=True,
            text=True,
            check=False,
        )

    def differences(self) -> list[Any]:
        """What the last report calls a failure."""
        report = json.loads((self.folder / "report.json").read_text())
        return [one for one in report["records"] if one["result"] == "fail"]


@contextmanager
def old_api(
    folder: Path,
    database_url: str,
    *,
    further: str = "",
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Generator[OldApi]:
    """Console and broker run. Leaves nothing running. `database_url`: of an empty database.

    `environment`: the console's, beside our own.
    """
    ports = Ports(*(free_port() for _ in range(5)))
    api = OldApi(folder, database_url, ports)
    api.configure(further=further)
    api.prepare()
    broker_config = folder / "mosquitto.conf"
    broker_config.write_text(f"listener {ports.broker} 127.0.0.1\nallow_anonymous true\n")
    broker = Program(
        [require_program("mosquitto"), "-c", str(broker_config)], folder / "mosquitto.log"
    )
    console = Program(
        [str(BIN / "p2k16-console"), "serve", "--config", str(api.config)],
        folder / "console.log",
        environment,
    )
    try:
        broker.start()
        console.start()
        eventually_sync(lambda: is_healthy(api.url), seconds=30)
        yield api
    finally:
        console.end()
        broker.end()


def main() -> int:
    """Runs the replay on a database of its own, and shows what differs."""
    with (
        tempfile.TemporaryDirectory() as folder,
        started_postgres() as server,
        server.database() as url,
        old_api(Path(folder), url) as api,
    ):
        done = api.replay(*sys.argv[1:])
        print(done.stdout, done.stderr)
        return done.returncode


if __name__ == "__main__":
    sys.exit(main())
