"""`p2k16-console` as people call it: a process of its own, with and without `serve` beside it."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString
from urllib.error import HTTPError, URLError

import psycopg
import pytest

from sync.bundle import decode_bundle
from tests.support.brokers import free_port
from tests.support.postgres import Postgres, reachable_folder
from tests.support.waiting import eventually_sync

PROGRAM = Path(sys.executable).parent / "p2k16-console"
PASSWORDS = "correct horse\ncorrect horse\n"


@dataclass
class Prompt:
    """A server's prompt, with a settings file."""

    folder: Path
    database_url: str | None
    port: int = field(default_factory=free_port)
    broker_port: int = field(default_factory=free_port)

    @property
    def config(self) -> Path:
        return self.folder / "console.toml"

    def configure(self, **tables: str) -> None:
        """Writes the settings; `tables` replaces what a table says."""
        known = {
            "http": f'listen = "127.0.0.1:{self.port}"',
            "database": f'url = "{self.database_url}"' if self.database_url else "",
            "mqtt": f'listen = "127.0.0.1:{self.broker_port}"',
            "site": 'time_zone = "Europe/Oslo"',
        }
        text = f'data_dir = "{self.folder / "data"}"\n'
        for name, lines in (known | tables).items():
            text += f"[{name}]\n{lines}\n"
        self.config.write_text(text)

    def run(self, *words: str, text: str = "", config_first: bool = False) -> tuple[int, str, str]:
        """Exit status, output, errors."""
        config = ["--config", str(self.config)]
        arguments = [*config, *words] if config_first else [*words, *config]
        done = subprocess.run(
            [PROGRAM, *arguments],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done.returncode, done.stdout, done.stderr

    def done(self, *words: str, text: str = "") -> str:
        """The output of a command that must succeed."""
        status, output, errors = self.run(*words, text=text)
        assert status == 0, f"{words}: {output}{errors}"
        return output

    def sql(self, statement: LiteralString) -> list[tuple[Any, ...]]:
        assert self.database_url is not None
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def health(self) -> int:
        """The status of /healthz; 0: nobody listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5) as page:
                return int(page.status)
        except HTTPError as error:
            return error.code
        except (URLError, OSError):
            return 0

    @contextmanager
    def serving(self, *, health: int = 200) -> Generator["subprocess.Popen[bytes]"]:
        """`serve`, as soon as it is as healthy as said; stopped by SIGTERM, which must suffice."""
        with (self.folder / "serve.log").open("wb") as log:
            process = subprocess.Popen(
                [PROGRAM, "serve", "--config", str(self.config)], stdout=log, stderr=log
            )
        try:
            eventually_sync(lambda: self.health() == health or process.poll(), seconds=60)
            assert process.poll() is None, self.log
            yield process
            process.send_signal(signal.SIGTERM)
            assert process.wait(15) == 0, self.log
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()

    @property
    def log(self) -> str:
        return (self.folder / "serve.log").read_text()


@pytest.fixture
def prompt(empty_database_url: str, tmp_path: Path) -> Prompt:
    prompt = Prompt(tmp_path, empty_database_url)
    prompt.configure()
    return prompt


def every_command(prompt: Prompt, name: str) -> None:
    """Each of them once; `name` makes what they create different."""
    prompt.done("migrate")
    made = prompt.done(
        *("accounts", "add", f"kari-{name}", "--email", f"{name}@example.org", "--name", "Kari"),
        *("--circle", "door", "--circle", "admin"),
        text=PASSWORDS,
    )
    assert f"kari-{name}" in made
    prompt.done("cards", "assign", f"kari-{name}", f"em4100:01020304{len(name):02x}")
    enrolled = prompt.folder / f"{name}.json"
    said = prompt.done(
        *("doors", "add", f"front-{name}", "--name", "Front door", "--circle", "door"),
        *("--circle", "shopbot", "--controller", f"pi-{name}", "--open-seconds", "7"),
    )
    assert "not enrolled yet" in said
    changed = prompt.done(
        *("doors", "set", f"front-{name}", "--soft-hours", "2", "--hard-days", "3"),
        *("--requires-fresh", "yes", "--min-assurance", "0", "--open-seconds", "7"),
        *("--open-hours", "tue 18:00-22:00, sat 12:00-16:00"),
    )
    assert "Stands open: tue 18:00-22:00, sat 12:00-16:00 (Europe/Oslo)" in changed
    assert "all cards for 2 h, then nobody" in changed
    label = ("--label", "fob")
    prompt.done("cards", "assign", f"kari-{name}", f"em4100:02020304{len(name):02x}", *label)
    marked = prompt.done("cards", "break-glass", f"kari-{name}", "fob", "yes")
    assert "“fob” is a break-glass card" in marked
    assert "an ordinary one" in prompt.done("cards", "break-glass", f"kari-{name}", "fob", "no")
    prompt.done("controllers", "enrol", f"pi-{name}", "--out", str(enrolled))
    bundle = decode_bundle(enrolled.read_bytes())
    assert bundle.controller == f"pi-{name}"
    assert bundle.broker_url == f"mqtt://127.0.0.1:{prompt.broker_port}"


def test_every_command_works_whether_serve_runs_or_not(prompt: Prompt):
    every_command(prompt, "a")
    with prompt.serving():
        every_command(prompt, "bb")
        # The running console has heard of what the commands did beside it.
        eventually_sync(
            lambda: prompt.sql("select controller from access.snapshot where controller = 'pi-bb'")
        )
    assert prompt.sql("select key, open_seconds from access.door order by key") == [
        ("front-a", 7),
        ("front-bb", 7),
    ]


def test_the_embedded_database_is_there_for_commands_and_serve_alike():
    with reachable_folder() as folder:
        prompt = Prompt(folder, None)
        prompt.configure()
        every_command(prompt, "a")
        with prompt.serving():
            every_command(prompt, "bb")
        assert "is up to date" in prompt.done("migrate")


def test_a_tool_of_the_old_web_application_is_powered_by_a_controller(prompt: Prompt):
    prompt.done("migrate")
    prompt.sql(
        "insert into tool_description"
        " (created_at, created_by, updated_at, updated_by, name, circle)"
        " values (now(), 3, now(), 3, 'Laser', 2)"
    )
    powered = prompt.done(
        *("tools", "attach", "Laser", "laser", "--controller", "pi", "--requires-fresh", "no")
    )
    assert "pi powers Laser as laser." in powered
    assert "not enrolled yet" in powered
    assert "No controller powers Laser" in prompt.done("tools", "detach", "laser")


def test_the_settings_may_be_named_anywhere_on_the_line(prompt: Prompt):
    assert prompt.run("migrate", config_first=True)[0] == 0
    words = ["doors", "--config", str(prompt.config), "add", "front", "--name", "Front"]
    done = subprocess.run([PROGRAM, *words, "--circle", "door", "--controller", "pi"], check=False)
    assert done.returncode == 0


def test_every_mistake_in_the_settings_is_told_at_once_with_status_2(prompt: Prompt):
    prompt.configure(http='listen = "nowhere"\nport = 3', login="failures_per_minute = 0")
    status, output, errors = prompt.run("migrate")
    assert (status, output) == (2, "")
    for mistake in ("http.listen", "http.port", "login.failures_per_minute"):
        assert mistake in errors


def test_a_settings_file_that_is_not_there_is_a_mistake(tmp_path: Path):
    assert Prompt(tmp_path, None).run("migrate")[0] == 2


def test_a_wrong_command_line_is_status_2(prompt: Prompt):
    for words in ([], ["fly"], ["doors", "add"], ["serve", "--fast"]):
        assert prompt.run(*words)[0] == 2


@pytest.mark.parametrize(
    ("words", "text", "said"),
    [
        (["cards", "assign", "nobody", "em4100:0102030405"], "", "nobody"),
        (["cards", "assign", "kari", "em4100:01020304"], "", "5 bytes"),
        (
            ["doors", "add", "front", "--name", "x", "--circle", "moon", "--controller", "pi"],
            "",
            "no such circle: moon",
        ),
        (
            ["doors", "add", "Front!", "--name", "x", "--circle", "door", "--controller", "pi"],
            "",
            "a-z",
        ),
        (
            ["accounts", "add", "ola", "--email", "o@example.org", "--name", "Ola"],
            "one\ntwo\n",
            "differ",
        ),
        (["doors", "set", "attic", "--open-seconds", "3"], "", "no door with the key attic"),
        (["doors", "set", "attic"], "", "at least one option"),
        (["tools", "attach", "lathe", "lathe", "--controller", "pi"], "", "no tool 'lathe'"),
        (["tools", "detach", "lathe"], "", "no tool is attached as lathe"),
        (["cards", "break-glass", "nobody", "blue fob", "yes"], "", "No such account: nobody"),
        (["controllers", "enrol", "Pi 1", "--out", "/nonexistent/x"], "", "a-z"),
        (["controllers", "enrol", "pi", "--out", "/nonexistent/x"], "", "can't write"),
        (["broker-config", "--out", "/nonexistent/x"], "", "[mqtt] url"),
    ],
)
def test_what_can_not_be_done_is_one_line_and_status_1(
    prompt: Prompt, words: list[str], text: str, said: str
):
    status, output, errors = prompt.run(*words, text=text)
    assert (status, output) == (1, "")
    told = [line for line in errors.splitlines() if not line.startswith("Made new keys")]
    assert len(told) == 1
    assert said in told[0]
    assert "Traceback" not in errors


def test_the_operator_may_give_a_short_password_and_is_warned(prompt: Prompt):
    prompt.done("migrate")
    words = ("accounts", "add", "kari", "--email", "kari@example.org", "--name", "Kari")
    status, output, errors = prompt.run(*words, text="kari\nkari\n")
    assert (status, output.count("\n")) == (0, 1)
    warned = "p2k16-console: The password has fewer than 8 characters: easily guessed.\n"
    assert errors == warned
    assert prompt.sql("select password like '$2b$%' from account where username = 'kari'") == [
        (True,)
    ]


def test_words_that_are_no_utf_8_are_a_wrong_command_line(prompt: Prompt):
    status, output, errors = prompt.run("cards", "assign", os.fsdecode(b"k\xff"), "em4100:01")
    assert (status, output) == (2, "")
    assert errors == "p2k16-console: the command line is not UTF-8: 'k\\udcff'\n"


def test_a_door_is_made_once(prompt: Prompt):
    words = ["doors", "add", "front", "--name", "Front", "--circle", "door", "--controller", "pi"]
    prompt.done(*words)
    status, _, errors = prompt.run(*words)
    assert status == 1
    assert "already" in errors


def test_keys_are_made_once_with_a_word_about_their_backup(prompt: Prompt):
    prompt.done("accounts", "add", "kari", "--email", "k@x.org", "--name", "K", text=PASSWORDS)
    _, _, first = prompt.run("cards", "assign", "kari", "em4100:0102030405")
    _, _, second = prompt.run("cards", "assign", "kari", "em4100:0102030406")
    assert "BACK THIS FOLDER UP" in first
    assert str(prompt.folder / "data" / "keys") in first
    assert second == ""


@pytest.mark.parametrize(
    "words", [["serve"], ["controllers", "enrol", "pi", "--out", "bundle.json"]], ids=" ".join
)
def test_keys_of_another_database_stop_everything(
    prompt: Prompt, postgres: Postgres, words: list[str]
):
    prompt.done("controllers", "enrol", "pi", "--out", str(prompt.folder / "a.json"))
    with postgres.database() as other:
        elsewhere = Prompt(prompt.folder / "other", other)
        elsewhere.folder.mkdir()
        elsewhere.configure()
        elsewhere.done("controllers", "enrol", "pi", "--out", str(elsewhere.folder / "b.json"))
        prompt.database_url = other
        prompt.configure()
        status, _, errors = prompt.run(*words)
    assert status == 1
    assert "don't belong to this database" in errors


def test_a_missing_key_file_is_not_made_anew(prompt: Prompt):
    prompt.done("controllers", "enrol", "pi", "--out", str(prompt.folder / "a.json"))
    (prompt.folder / "data" / "keys" / "site.salt").unlink()
    status, _, errors = prompt.run("serve")
    assert status == 1
    assert "lacks site.salt" in errors


def test_broker_config_lists_whoever_is_enrolled(prompt: Prompt):
    prompt.done("controllers", "enrol", "pi", "--out", str(prompt.folder / "a.json"))
    prompt.configure(mqtt='url = "mqtt://console:a-long-password@127.0.0.1"')
    said = prompt.done("broker-config", "--out", str(prompt.folder / "mosquitto"))
    assert "1 enrolled" in said
    names = [
        line.partition(":")[0]
        for line in (prompt.folder / "mosquitto" / "passwords").read_text().splitlines()
    ]
    assert sorted(names) == ["console", "pi"]


LEGACY = Path(__file__).parents[2] / "console" / "migrations"


def test_a_database_of_the_old_web_app_is_left_alone_until_migrate(prompt: Prompt):
    for path in sorted(LEGACY.glob("V001.*.sql")):
        prompt.sql(path.read_text())  # pyright: ignore[reportArgumentType]
    for words in (
        ["serve"],
        ["doors", "add", "front", "--name", "x", "--circle", "door", "--controller", "pi"],
    ):
        status, _, errors = prompt.run(*words)
        assert status == 1
        assert "p2k16-console migrate" in errors
        assert "docs/" in errors
    assert prompt.sql("select 1 from pg_namespace where nspname = 'access'") == []
    assert "Took over" in prompt.done("migrate")
    with prompt.serving():
        pass


def test_serve_makes_the_tables_of_an_empty_database_by_itself(prompt: Prompt):
    with prompt.serving():
        assert prompt.sql("select count(*) from access.site") == [(1,)]


def test_without_a_database_the_pages_are_up_and_say_so_until_it_comes(
    prompt: Prompt, postgres: Postgres
):
    url = prompt.database_url
    assert url is not None
    name = url.partition("@/")[2].partition("?")[0]
    postgres.run(f"drop database {name} with (force)".encode())
    with prompt.serving(health=503):
        assert "database.awaited" in prompt.log
        postgres.run(f"create database {name}".encode())
        eventually_sync(lambda: prompt.health() == 200, seconds=60)
    lines = [line for line in prompt.log.splitlines() if not line.startswith("Made new keys")]
    told = [json.loads(line) for line in lines]
    assert "psycopg.pool" in {line.get("logger") for line in told}, "libraries speak JSON, too"


def test_without_a_broker_the_pages_are_up_and_say_so(prompt: Prompt):
    prompt.configure(mqtt=f'url = "mqtt://console:x@127.0.0.1:{free_port()}"')
    with prompt.serving(health=503):
        eventually_sync(lambda: "link.lost" in prompt.log)


def test_an_address_that_is_taken_is_said_in_one_line(prompt: Prompt):
    with prompt.serving():
        second = Prompt(prompt.folder, prompt.database_url, port=prompt.port)
        second.configure()
        status, _, errors = second.run("serve")
    assert status == 1
    assert "[http] listen" in errors


def test_serving_others_without_a_public_url_is_warned_of(prompt: Prompt):
    prompt.configure(http=f'listen = "0.0.0.0:{prompt.port}"')
    with prompt.serving():
        assert "http.public_url_missing" in prompt.log


def test_the_log_is_json_where_nobody_watches(prompt: Prompt):
    with prompt.serving() as process:
        assert process.pid != os.getpid()
    lines = [json.loads(line) for line in prompt.log.splitlines() if line.startswith("{")]
    events = [line["event"] for line in lines]
    assert events[-1] == "console.stopped"
    assert "console.started" in events
    secrets = (prompt.folder / "data" / "keys" / "site.salt").read_text().strip()
    assert secrets not in prompt.log
