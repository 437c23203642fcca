"""The console's settings: one TOML file, overridden by `P2K16_…` environment variables.

The only place of the console that reads the environment. docs/operating.md explains every key.
"""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sync.settings_table import Address, SettingsError, SettingsTable

DEFAULT_FILE = Path("/etc/p2k16/console.toml")
"""Read when no `--config` is given and it exists."""


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """`[http]`: where pages are served. `public_url` None: reached by plain HTTP and any name."""

    listen: Address
    public_url: str | None


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """`[database]`: `url` None means the embedded PostgreSQL in `data_dir`."""

    url: str | None


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """`[mqtt]`: `url` None means the embedded broker, which listens on `listen`."""

    url: str | None
    listen: Address
    tls_certificate: Path | None
    tls_key: Path | None
    prefix: str


@dataclass(frozen=True, slots=True)
class RoleSettings:
    """`[roles]`: `admin_circle` manages cards, doors and controllers."""

    admin_circle: str


@dataclass(frozen=True, slots=True)
class LoginSettings:
    """`[login]`: failures allowed in a minute, for one account and for one address."""

    failures_per_minute: int


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """All of it."""

    data_dir: Path
    http: HttpSettings
    database: DatabaseSettings
    mqtt: MqttSettings
    roles: RoleSettings
    login: LoginSettings


def load_settings(path: Path | None, environ: Mapping[str, str]) -> ConsoleSettings:
    """Reads `path`, or the default file where it exists, or only the environment and defaults.

    Raises: SettingsError with every mistake at once.
    """
    if path is None and DEFAULT_FILE.exists():
        path = DEFAULT_FILE
    return read_settings(
        {} if path is None else _document(path), environ, source=str(path or "environment")
    )


def read_settings(
    document: Mapping[str, object], environ: Mapping[str, str], *, source: str
) -> ConsoleSettings:
    """The settings in a parsed document. Raises: SettingsError with every mistake at once."""
    table = SettingsTable(document, environ)
    http, database, mqtt = table.table("http"), table.table("database"), table.table("mqtt")
    roles, login = table.table("roles"), table.table("login")
    settings = ConsoleSettings(
        data_dir=table.path("data_dir", default=_default_data_dir(environ)),
        http=HttpSettings(
            listen=http.address("listen", default=Address("127.0.0.1", 8016)),
            public_url=http.optional_url("public_url", schemes=("http", "https")),
        ),
        database=DatabaseSettings(
            url=database.optional_url("url", schemes=("postgresql", "postgres"), needs_host=False)
        ),
        mqtt=MqttSettings(
            url=mqtt.optional_url("url", schemes=("mqtt", "mqtts")),
            listen=mqtt.address("listen", default=Address("127.0.0.1", 1883)),
            tls_certificate=mqtt.optional_path("tls_certificate"),
            tls_key=mqtt.optional_path("tls_key"),
            prefix=mqtt.text("prefix", default="p2k16", pattern="[A-Za-z0-9_-]{1,64}"),
        ),
        roles=RoleSettings(admin_circle=roles.text("admin_circle", default="admin")),
        login=LoginSettings(
            failures_per_minute=login.integer(
                "failures_per_minute", least=1, most=1_000_000, default=10
            )
        ),
    )
    if (settings.mqtt.tls_certificate is None) != (settings.mqtt.tls_key is None):
        mqtt.refuse("tls_certificate", "tls_certificate and tls_key belong together: give both")
    mistakes = table.mistakes()
    if mistakes:
        raise SettingsError(source, mistakes)
    return settings


def _document(path: Path) -> dict[str, object]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(str(path), [f"not TOML: {error}"]) from error
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(str(path), [f"can't be read: {error}"]) from error


def _default_data_dir(environ: Mapping[str, str]) -> Path:
    if os.geteuid() == 0:
        return Path("/var/lib/p2k16")
    data_home = environ.get("XDG_DATA_HOME") or f"{environ.get('HOME', '.')}/.local/share"
    return Path(data_home) / "p2k16"
