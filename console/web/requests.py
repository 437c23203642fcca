"""What may come in: a form's fields, a search text, a path to go back to.

Decides the limits on all of it, so that a feature gets clean text or the visitor an answer that
says what is wrong.
"""

import ipaddress
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web

from console.errors import BadRequest
from console.words import Text

BODY_BYTES_MAX = 64 * 1024
FIELDS_MAX = 50
FIELD_CHARACTERS_MAX = 4_000

DATA_PATHS = (
    *("/data/", "/service/", "/api/", "/badge/", "/membership/", "/core/", "/live", "/healthz"),
    *("/protected", "/passwd.php", "/stripe-stats.png"),
)
"""Programs ask here: they get a status, never a log-in page."""


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
    try:
        body = await request.read()
    except (web.RequestPayloadError, ConnectionResetError) as error:
        raise BadRequest(
            Text("What was sent can't be read: it is garbled, or ended early.")
        ) from error
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
        address = ipaddress.ip_address(text)
        if has_proxy and address.is_loopback:
            forwarded = request.headers.getall("X-Forwarded-For", [])
            if forwarded:
                address = ipaddress.ip_address(forwarded[-1].rpartition(",")[2].strip())
    except ValueError:
        return text or "unknown"
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)
