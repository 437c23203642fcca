"""Takes `[mqtt] url` apart.

Decides what a broker's address may look like. Connecting is `broker.py`'s matter; an error message
never repeats the URL, because it holds a password.
"""

from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

from console.errors import ConsoleError

PORTS = {"mqtt": 1883, "mqtts": 8883}
"""Source: IANA's service names `mqtt` and `secure-mqtt`."""


class BrokerUrlError(ConsoleError):
    """A broker's URL that isn't one."""


@dataclass(frozen=True, slots=True)
class BrokerUrl:
    """Where a broker is and who we are there. `user` and `password` None: none were given."""

    host: str
    port: int
    tls: bool
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    def without_credentials(self) -> str:
        """The address alone: what a controller's bundle and the log may hold."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"

    def with_credentials(self) -> str:
        """The whole URL, as it stands in the settings. A secret."""
        if self.user is None:
            return self.without_credentials()
        scheme, _, address = self.without_credentials().partition("://")
        password = "" if self.password is None else f":{quote(self.password, safe='')}"
        return f"{scheme}://{quote(self.user, safe='')}{password}@{address}"


def parse_broker_url(url: str) -> BrokerUrl:
    """`mqtt://user:password@host:port`, or `mqtts://` with TLS; the port may be left out.

    Characters with a meaning in a URL are percent-encoded in user and password.
    Raises: BrokerUrlError.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BrokerUrlError("the broker's URL can't be read: is the port a number?") from error
    if parts.scheme not in PORTS:
        raise BrokerUrlError("the broker's URL must begin with mqtt:// or mqtts://")
    if not parts.hostname:
        raise BrokerUrlError("the broker's URL names no host: mqtt://user:password@host:1883")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise BrokerUrlError(
            "the broker's URL has something after the port; in a password, write / as %2F,"
            " ? as %3F, # as %23 and @ as %40"
        )
    return BrokerUrl(
        host=parts.hostname,
        port=PORTS[parts.scheme] if port is None else port,
        tls=parts.scheme == "mqtts",
        user=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
    )
