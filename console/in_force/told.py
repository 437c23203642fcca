"""What is in force, in words: never a secret, and of a URL only where it leads. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import urlsplit

from msgspec import Struct

from console.in_force.queries import DatabaseRow
from console.rights.facts import NOTHING_SPECIAL
from console.rights.publish import KEPT_DAYS
from console.settings import ConsoleSettings
from console.web import times
from console.words import Text


class Line(Struct, frozen=True):
    """`where`: the setting, or "". `note`: what doesn't work so. `path`: of a page about it.

    `at`: the value, where it is a moment.
    """

    name: str
    value: str
    where: str = ""
    note: str = ""
    path: str = ""
    at: datetime | None = None


class Section(Struct, frozen=True):
    """Lines that belong together."""

    title: str
    lines: Sequence[Line]


class Known(Struct, frozen=True):
    """What isn't in the settings. `circles`: number and size of each by its name.

    `association`: what mails call it; `is_named`: because somebody has said so. `keys_end_at` None:
    not known.
    """

    version: str
    association: str
    is_named: bool
    database: DatabaseRow
    circles: Mapping[str, tuple[int, int]]
    keys_end_at: datetime | None


def sections(settings: ConsoleSettings, known: Known) -> Sequence[Section]:
    """All of it."""
    return [
        Section(Text("The space"), _space(settings, known)),
        Section(Text("Who may do what"), _roles(settings, known)),
        Section(Text("Mail and payments"), _services(settings)),
        Section(Text("Database and broker"), _machines(settings)),
        Section(Text("Keys and times"), _times(settings, known)),
        Section(Text("Beside the old web application"), _old(settings)),
        Section(Text("Versions"), _versions(known)),
    ]


def host_of(url: str) -> str:
    """Host and port of a URL: neither user nor password, which may also stand behind the path."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "?"
    if not host:
        return Text("a socket on this machine")
    return f"{host}:{port}" if port is not None else host


def _space(settings: ConsoleSettings, known: Known) -> Sequence[Line]:
    http, site = settings.http, settings.site
    url = http.public_url
    plain = Text("Pages are reached by plain HTTP: passwords can be read on the way.")
    return [
        Line(
            Text("Name"),
            known.association,
            "[mail] sender",
            note="" if known.is_named else Text("No name is given, so mails call it so."),
        ),
        Line(
            Text("Public address"),
            f"{url.partition('://')[0]}://{host_of(url)}" if url else Text("none"),
            "[http] public_url",
            note="" if url else plain,
        ),
        Line(Text("Pages are served at"), str(http.listen), "[http] listen"),
        Line(Text("Time zone"), str(site.time_zone), "[site] time_zone"),
        Line(Text("Language"), site.language.value, "[site] language"),
    ]


def _roles(settings: ConsoleSettings, known: Known) -> Sequence[Line]:
    roles = settings.roles
    named = (
        (Text("Admins"), roles.admin_circle, "[roles] admin_circle"),
        (Text("Front desk"), roles.front_desk_circle, "[roles] front_desk_circle"),
        (Text("Treasurers"), roles.treasurer_circle, "[roles] treasurer_circle"),
    )
    return [_role(name, circle, where, known) for name, circle, where in named]


def _role(name: Text, circle: str | None, where: str, known: Known) -> Line:
    if circle is None:
        return Line(name, Text("admins only"), where)
    if circle not in known.circles:
        return Line(name, circle, where, note=Text("No circle is called so: nobody has this role."))
    circle_id, members = known.circles[circle]
    value = Text.plural(
        "{circle}, {n} member", "{circle}, {n} members", members, circle=circle, n=members
    )
    return Line(name, value, where, path=f"/circles/{circle_id}")


def _services(settings: ConsoleSettings) -> Sequence[Line]:
    mail, stripe = settings.mail, settings.stripe
    off = Text("not set up")
    no_link = Text(
        "Whoever forgets her password gets no link for a new one:"
        " that takes mail and a public address."
    )
    return [
        Line(
            Text("Mail"),
            off if mail.smtp_url is None else Text("by {host}", host=host_of(mail.smtp_url)),
            "[mail] smtp_url",
            note="" if mail.smtp_url and settings.http.public_url else no_link,
        ),
        Line(
            Text("Payments by Stripe"),
            off if stripe.secret_key is None else Text("set up"),
            "[stripe] secret_key",
            note=Text("Nobody can pay, change or cancel a membership here.")
            if stripe.secret_key is None
            else "",
        ),
        Line(
            Text("News from Stripe"),
            off if stripe.webhook_secret is None else Text("set up"),
            "[stripe] webhook_secret",
            note=Text("A payment opens no door: Stripe's news of it is refused.")
            if stripe.webhook_secret is None
            else "",
        ),
    ]


def _machines(settings: ConsoleSettings) -> Sequence[Line]:
    database, mqtt = settings.database, settings.mqtt
    embedded = Text("of the console's own, in {folder}", folder=str(settings.data_dir))
    listens = str(mqtt.listen)
    return [
        Line(
            Text("Database"),
            embedded if database.url is None else Text("at {host}", host=host_of(database.url)),
            "[database] url" if database.url else "[database] url, data_dir",
        ),
        Line(
            Text("Broker"),
            Text("of the console's own, at {host}", host=listens)
            if mqtt.url is None
            else Text("at {host}", host=host_of(mqtt.url)),
            "[mqtt] listen" if mqtt.url is None else "[mqtt] url",
        ),
        Line(
            Text("The broker's connections"),
            Text("encrypted")
            if mqtt.tls_certificate is not None or (mqtt.url or "").startswith("mqtts:")
            else Text("not encrypted, but all that is believed is signed"),
            "[mqtt] tls_certificate, tls_key" if mqtt.url is None else "[mqtt] url",
        ),
    ]


def _times(settings: ConsoleSettings, known: Known) -> Sequence[Line]:
    soft = times.length(NOTHING_SPECIAL.soft_seconds)
    hard = times.length(NOTHING_SPECIAL.hard_seconds)
    return [
        Line(
            Text("The signing keys are valid until"),
            "" if known.keys_end_at else Text("not known"),
            at=known.keys_end_at,
        ),
        Line(
            Text("A door without the console"),
            Text(
                "all cards for {hard}, open hours for {soft}, then break-glass cards only",
                hard=hard,
                soft=soft,
            ),
            note=Text("Unless its own page says something else."),
            path="/doors",
        ),
        Line(
            Text("Rights, and why somebody had them, are kept for"),
            Text("{days} days", days=KEPT_DAYS),
        ),
        Line(Text("What happened and what was changed is kept"), Text("for ever")),
        Line(
            Text("Wrong passwords in a minute"),
            str(settings.login.failures_per_minute),
            "[login] failures_per_minute",
        ),
    ]


def _old(settings: ConsoleSettings) -> Sequence[Line]:
    old, mqtt = settings.legacy, settings.mqtt
    on, off = Text("on"), Text("off")
    networks = ", ".join(map(str, old.directory_allow))
    return [
        Line(
            Text("Its sessions log in here, too"),
            off if old.secret_key is None else on,
            "[legacy] secret_key",
        ),
        Line(
            Text("Its door controller"),
            off if old.dlock_url is None else Text("at {host}", host=host_of(old.dlock_url)),
            "[legacy] dlock_url",
        ),
        Line(
            Text("Every member sees e-mail, phone and payments of all"),
            on if old.open_directory else off,
            "[legacy] open_directory",
        ),
        Line(
            Text("Lists of people for other programs"),
            off if old.directory_token is None else Text("for {networks}", networks=networks),
            "[legacy] directory_token, directory_allow",
        ),
        Line(
            Text("Label printer"),
            on if mqtt.has_label_printer else off,
            "[mqtt] legacy_label_prefix",
        ),
    ]


def _versions(known: Known) -> Sequence[Line]:
    row = known.database
    newest = Text("{n} files, up to {version}", n=row.migrations, version=row.migration or "?")
    return [
        Line(Text("Console"), known.version),
        Line("PostgreSQL", row.server_version),
        Line(Text("Tables"), newest, "p2k16-console migrate"),
        Line(Text("Tables last changed"), "" if row.migrated_at else "?", at=row.migrated_at),
    ]
