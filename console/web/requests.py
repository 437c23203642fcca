"""What may come in: a form's fields, a search text, a path to go back to.

Decides the limits on all of it, so that a feature gets clean text or the visitor an answer that
says what is wrong.
"""

import asyncio
import ipaddress
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web

from console.errors import BadRequest
from console.words import Text

BODY_BYTES_MAX = 64 * 1024
BODY_SECONDS = 60
"""A photo of 5 MB comes in this time from a phone with one bar."""
FIELDS_MAX = 50
FIELD_CHARACTERS_MAX = 4_000
UNREADABLE = Text("What was sent can't be read: it is garbled, or ended early.")

DATA_PATHS = (
    *("/data/", "/service/", "/api/", "/badge/", "/membership/", "/core/", "/live", "/healthz"),
    *("/protected", "/passwd.php", "/stripe-stats.png"),
)
"""Programs ask here: they get a status, never a log-in page."""


QUICK_SECONDS = 1
"""A body that takes longer may come from somebody who has lost her rights meanwhile."""
ASK_AGAIN = web.RequestKey[Callable[[], Awaitable[None]]]("ask_again")
"""Raises what the route's rule says by now, to whoever sends a body."""
TYPED = web.RequestKey[Mapping[str, str]]("typed")
"""Where a request keeps the fields of its form."""


async def form(request: web.Request) -> Mapping[str, str]:
    """The fields of a posted form, each once, without control characters other than line ends.

    Raises: BadRequest; HTTPRequestEntityTooLarge over 64 kB.
    """
    if request.content_type not in {
        "application/x-www-form-urlencoded",
        "application/octet-stream",
    }:
        raise BadRequest(Text("A form is expected here (application/x-www-form-urlencoded)."))
    body = await read_all(request)
    try:
        pairs = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict"
        )
    except ValueError as error:  # UnicodeDecodeError is one
        raise BadRequest(
            Text(
                "The form holds too much, or is not UTF-8: {fields_max} fields at most.",
                fields_max=FIELDS_MAX,
            )
        ) from error
    fields: dict[str, str] = {}
    for name, value in pairs:
        if name in fields:
            raise BadRequest(Text("The field {name} came twice.", name=repr(name[:40])))
        if len(value) > FIELD_CHARACTERS_MAX:
            raise BadRequest(
                Text(
                    "A field may have at most {characters_max} characters.",
                    characters_max=FIELD_CHARACTERS_MAX,
                )
            )
        if any(ord(character) < 32 and character not in "\t\r\n" for character in value):
            raise BadRequest(Text("A field holds control characters."))
        fields[name] = value
    request[TYPED] = fields
    return fields


async def read_all(request: web.Request) -> bytes:
    """The body. Raises: BadRequest; HTTPRequestEntityTooLarge over 64 kB."""
    async with timely(request):
        return await request.read()


@asynccontextmanager
async def timely(request: web.Request) -> AsyncGenerator[None]:
    """Where a body is read: one that can't be, or takes too long, is a BadRequest.

    Raises as well what `ASK_AGAIN` does.
    """
    now = asyncio.get_running_loop().time
    began = now()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            yield
    except TimeoutError as error:
        raise BadRequest(
            Text("What was sent took too long: more than {seconds} s.", seconds=BODY_SECONDS)
        ) from error
    except (web.RequestPayloadError, ConnectionResetError) as error:
        raise BadRequest(UNREADABLE) from error
    if now() - began > QUICK_SECONDS and ASK_AGAIN in request:
        await request[ASK_AGAIN]()


def query_text(request: web.Request, name: str, *, characters_max: int = 100) -> str:
    """A text of the address, trimmed and cut, without anything that isn't printable."""
    value = request.query.get(name, "")
    return "".join(character for character in value if character.isprintable())[
        :characters_max
    ].strip()


def path_id(request: web.Request, name: str) -> int:
    """A number of the path; the route's pattern lets only digits through (see `ID`)."""
    return int(request.match_info[name])


ID = "[0-9]{1,18}"
"""Pattern of an id in a path: what fits PostgreSQL's bigint."""


def local_path(text: str | None, *, default: str = "/") -> str:
    """`text` if it is a path on this site, else `default`: nobody is sent elsewhere.

    A browser reads `//host` and `/\\host` as another site, and drops tabs and line ends first.
    """
    if (
        not text
        or len(text) > 500
        or not text.startswith("/")
        or text.startswith(("//", "/\\"))
        or "\\" in text
        or not text.isprintable()
    ):
        return default
    try:
        parts = urlsplit(text)
    except ValueError:
        return default
    return default if parts.scheme or parts.netloc else text


def wants_data(request: web.Request) -> bool:
    """Whether a program asks rather than a person: by the path, or by not asking for a page."""
    if request.path.startswith(DATA_PATHS):
        return True
    is_known = request.match_info.http_exception is None
    return not is_known and "text/html" not in request.headers.get("Accept", "")


def is_htmx(request: web.Request) -> bool:
    """Whether htmx asks, so that a fragment is wanted instead of a page."""
    return request.headers.get("HX-Request") == "true"


def client_address(request: web.Request, *, has_proxy: bool) -> str:
    """Whom a request comes from: an IPv4 or IPv6 address, or "unknown".

    Behind a proxy on this machine (`has_proxy`: there is a public URL) that is what the proxy put
    last into X-Forwarded-For. Nobody else's header is believed.
    """
    text = request.remote or ""
    try:
        if is_proxy(text, has_proxy=has_proxy):
            forwarded = request.headers.getall("X-Forwarded-For", [])
            if forwarded:
                return str(_address(forwarded[-1].rpartition(",")[2].strip()))
        return str(_address(text))
    except ValueError:
        return text or "unknown"


def is_proxy(address: str, *, has_proxy: bool) -> bool:
    """Whether others come through this address: see `client_address`."""
    try:
        return has_proxy and _address(address).is_loopback
    except ValueError:
        return False


def network_of(address: str) -> str:
    """What one visitor has of its kind: who has an IPv6 address has the 2^64 of its network."""
    try:
        parsed = _address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False))


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An IPv4 address in IPv6's clothes is that IPv4 address. Raises: ValueError."""
    parsed = ipaddress.ip_address(text)
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped
    return parsed
