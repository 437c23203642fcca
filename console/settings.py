"""The console's settings: one TOML file, overridden by `P2K16_…` environment variables.

The only place of the console that reads the environment. docs/operating.md explains every key.
"""

import os
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from console.time_zone import find_zone, system_zone
from console.words import Language
from sync.settings_table import SettingsError, SettingsTable
from sync.settings_values import Address

_TOPIC = r"[^+#\x00]{1,200}"
"""An MQTT topic, or the beginning of one: without wildcards."""
_MAILBOX = r"[^<>\r\n]{0,100}<[^@<>\s]+@[^@<>\s]+>|[^@<>\s]+@[^@<>\s]+"

Network = IPv4Network | IPv6Network

DEFAULT_FILE = Path("/etc/p2k16/console.toml")
"""Read when no `--config` is given and it exists."""

FILE_BYTES_MAX = 1024 * 1024


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """`[http]`: where pages are served. `public_url` None: reached by plain HTTP and any name."""

    listen: Address
    public_url: str | None


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """`[database]`: `url` None means the embedded PostgreSQL in `data_dir`."""

    url: str | None


NO_LABEL_PRINTER = "/public/p2k16-dev/label"
"""The old web application's default of `legacy_label_prefix`."""


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """`[mqtt]`: `url` None means the embedded broker, which listens on `listen`.

    The `legacy_…` prefixes begin the topics of hardware that the old web app drove.
    """

    url: str | None
    listen: Address
    tls_certificate: Path | None
    tls_key: Path | None
    prefix: str
    legacy_door_prefix: str = "public/p2k16-dev/"
    legacy_tool_prefix: str = "public/p2k16-dev/tool"
    legacy_label_prefix: str = NO_LABEL_PRINTER

    @property
    def has_label_printer(self) -> bool:
        """Whether somebody has named one: the default is the topic of a developer's printer."""
        return self.legacy_label_prefix != NO_LABEL_PRINTER


@dataclass(frozen=True, slots=True)
class RoleSettings:
    """`[roles]`: `admin_circle` manages everything; the others see people, and money.

    None: nobody but admins does.
    """

    admin_circle: str
    front_desk_circle: str | None = None
    treasurer_circle: str | None = None


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """`[site]`: `time_zone` is that of open hours, and of the times on pages.

    `language`: of pages for whoever has chosen none, and whose browser asks for none of ours.
    """

    time_zone: tzinfo = UTC
    language: Language = Language.ENGLISH


@dataclass(frozen=True, slots=True)
class LoginSettings:
    """`[login]`: failures allowed in a minute, for one account and for one address."""

    failures_per_minute: int


@dataclass(frozen=True, slots=True)
class StripeSettings:
    """`[stripe]`: no `secret_key`: no payments here. `api_base` None means Stripe's own.

    `publishable_key` is for pages that show Stripe's own form: nothing here asks for it.
    """

    secret_key: str | None = field(default=None, repr=False)
    publishable_key: str | None = None
    webhook_secret: str | None = field(default=None, repr=False)
    api_base: str | None = None
    max_network_retries: int = 2


@dataclass(frozen=True, slots=True)
class MailSettings:
    """`[mail]`: no `smtp_url`: no mail is sent. `sender`, as it stands in From, may have a name."""

    smtp_url: str | None = field(default=None, repr=False)
    sender: str = "p2k16@localhost"


@dataclass(frozen=True, slots=True)
class LegacySettings:
    """`[legacy]`: what the old web app and its hardware need, while they are still there.

    `secret_key` None: its session cookies are not taken. `directory_token` None: no directory is
    given out; else to the networks in `directory_allow`.
    """

    secret_key: str | None = field(default=None, repr=False)
    dlock_url: str | None = None
    dlock_username: str = ""
    dlock_password: str = field(default="", repr=False)
    dlock_retries: int = 1
    open_directory: bool = False
    directory_token: str | None = field(default=None, repr=False)
    directory_allow: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True)
class ConsoleSettings:
    """All of it."""

    data_dir: Path
    http: HttpSettings
    database: DatabaseSettings
    mqtt: MqttSettings
    roles: RoleSettings
    login: LoginSettings
    site: SiteSettings = SiteSettings()
    stripe: StripeSettings = StripeSettings()
    mail: MailSettings = MailSettings()
    legacy: LegacySettings = LegacySettings()


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
            legacy_door_prefix=mqtt.text(
                "legacy_door_prefix", default="public/p2k16-dev/", pattern=_TOPIC
            ),
            legacy_tool_prefix=mqtt.text(
                "legacy_tool_prefix", default="public/p2k16-dev/tool", pattern=_TOPIC
            ),
            legacy_label_prefix=mqtt.text(
                "legacy_label_prefix", default=NO_LABEL_PRINTER, pattern=_TOPIC
            ),
        ),
        roles=RoleSettings(
            admin_circle=roles.text("admin_circle", default="admin"),
            front_desk_circle=roles.optional_text("front_desk_circle"),
            treasurer_circle=roles.optional_text("treasurer_circle"),
        ),
        login=LoginSettings(
            failures_per_minute=login.integer(
                "failures_per_minute", least=1, most=1_000_000, default=10
            )
        ),
        site=_site(table.table("site"), environ),
        stripe=_stripe(table.table("stripe")),
        mail=_mail(table.table("mail")),
        legacy=_legacy(table.table("legacy")),
    )
    if (settings.mqtt.tls_certificate is None) != (settings.mqtt.tls_key is None):
        mqtt.refuse("tls_certificate", "tls_certificate and tls_key belong together: give both")
    mistakes = table.mistakes()
    if mistakes:
        raise SettingsError(source, mistakes)
    return settings


def _site(site: SettingsTable, environ: Mapping[str, str]) -> SiteSettings:
    name = site.optional_text("time_zone", pattern=r"[A-Za-z0-9+_/-]{1,64}")
    zone = system_zone(environ.get("TZ")) if name is None else find_zone(name)
    if zone is None:
        site.refuse("time_zone", f"there is no time zone {name}; one is Europe/Oslo")
    tag = site.choice("language", tuple(each.value for each in Language), default="en")
    return SiteSettings(zone or UTC, Language(tag))


def _stripe(stripe: SettingsTable) -> StripeSettings:
    return StripeSettings(
        secret_key=stripe.optional_text("secret_key"),
        publishable_key=stripe.optional_text("publishable_key"),
        webhook_secret=stripe.optional_text("webhook_secret"),
        api_base=stripe.optional_url("api_base", schemes=("http", "https")),
        max_network_retries=stripe.integer("max_network_retries", least=0, most=10, default=2),
    )


def _mail(mail: SettingsTable) -> MailSettings:
    return MailSettings(
        smtp_url=mail.optional_url("smtp_url", schemes=("smtp", "smtps")),
        sender=mail.text("sender", default="p2k16@localhost", pattern=_MAILBOX),
    )


def _legacy(legacy: SettingsTable) -> LegacySettings:
    read = LegacySettings(
        secret_key=legacy.optional_text("secret_key"),
        dlock_url=legacy.optional_url("dlock_url", schemes=("http", "https")),
        dlock_username=legacy.text("dlock_username", default=""),
        dlock_password=legacy.text("dlock_password", default=""),
        dlock_retries=legacy.integer("dlock_retries", least=0, most=5, default=1),
        open_directory=legacy.flag("open_directory", default=False),
        directory_token=legacy.optional_text("directory_token", pattern=r"[!-~]{16,200}"),
        directory_allow=legacy.networks("directory_allow"),
    )
    if (read.directory_token is None) != (not read.directory_allow):
        legacy.refuse(
            "directory_token", "directory_token and directory_allow belong together: give both"
        )
    return read


def _document(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(_read(path).decode("utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(str(path), [f"not TOML: {error}"]) from error
    except (ValueError, RecursionError) as error:
        hint = "it is no UTF-8, or has too many digits in a number, or brackets in one another"
        raise SettingsError(str(path), [f"can't be read: {hint}"]) from error
    except OSError as error:
        raise SettingsError(str(path), [f"can't be read: {error.strerror}"]) from error


def _read(path: Path) -> bytes:
    """Raises: OSError, SettingsError. A FIFO would be waited for, and a device can be endless."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise SettingsError(str(path), ["can't be read: it is no regular file"])
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(FILE_BYTES_MAX + 1)
    if len(content) > FILE_BYTES_MAX:
        raise SettingsError(str(path), [f"can't be read: it has more than {FILE_BYTES_MAX} bytes"])
    return content


def _default_data_dir(environ: Mapping[str, str]) -> Path:
    if os.geteuid() == 0:
        return Path("/var/lib/p2k16")
    data_home = environ.get("XDG_DATA_HOME") or f"{environ.get('HOME', '.')}/.local/share"
    return Path(data_home) / "p2k16"
