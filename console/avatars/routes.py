"""`/me/photo`: giving oneself a picture; and the picture itself, for whoever is logged in."""

import hashlib

from aiohttp import BodyPartReader, hdrs, web
from aiohttp.http_exceptions import BadHttpMessage
from msgspec import Struct

from console.accounts import queries as accounts
from console.avatars import queries
from console.avatars.photo import CONVERTER, Converter, NoPhoto
from console.avatars.square import PHOTO_BYTES_MAX
from console.database import Connection
from console.errors import BadRequest
from console.web.keys import DATABASE
from console.web.render import page
from console.web.requests import ID, UNREADABLE, path_id, timely
from console.web.routing import Route, Who
from console.web.session import author, visitor
from console.words import Text

PATH = "/me/photo"
FORM_BYTES_MAX = PHOTO_BYTES_MAX + 64 * 1024
"""The photo, and what a browser puts around it."""
NOTHING = Text("Choose a photo first.")
TOO_MANY_BYTES = Text("This photo has more than 5 MB. Take a smaller one.")


class Face(Struct, frozen=True):
    """Somebody as pages show her. `version` None: she has no picture, so by her initials."""

    account_id: int
    version: str | None
    initials: str


def set_up(app: web.Application) -> None:
    """What the routes need."""
    app[CONVERTER] = Converter()


def routes() -> list[Route]:
    """All of them."""
    return [
        Route("GET", PATH, Who.MEMBER, photo_page),
        Route("POST", PATH, Who.MEMBER, save_photo),
        Route("POST", f"{PATH}/removal", Who.MEMBER, remove_photo),
        Route("GET", f"/members/{{account:{ID}}}/photo", Who.MEMBER, photo_of),
    ]


async def face(conn: Connection, *, account_id: int, name: str) -> Face:
    """How pages show somebody."""
    version = await queries.avatar_version(conn, account_id=account_id)
    return Face(account_id, version, initials(name))


def initials(name: str) -> str:
    """Of the first and the last word."""
    words = [word for word in name.split() if word[0].isalnum()] or ["?"]
    return "".join(word[0].upper() for word in words[:: max(1, len(words) - 1)][:2])


async def photo_page(request: web.Request) -> web.StreamResponse:
    """The picture as it is, and the forms."""
    return await _answer(request, None)


async def save_photo(request: web.Request) -> web.StreamResponse:
    """Converts the photo of the form, and keeps what came of it."""
    converter = request.app[CONVERTER]
    with converter.place(visitor(request).account_id):
        photo = await _uploaded(request)
        made = NoPhoto(photo) if isinstance(photo, Text) else await converter.square(photo)
    if isinstance(made, NoPhoto):
        return await _answer(request, made.words)
    version = hashlib.sha256(made.jpeg).hexdigest()[:16]
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        await queries.set_avatar(
            conn, account_id=visitor(request).account_id, version=version, jpeg=made.jpeg
        )
    raise web.HTTPSeeOther(PATH)


async def remove_photo(request: web.Request) -> web.StreamResponse:
    """Initials will do."""
    async with request.app[DATABASE].writing(by=author(request)) as conn:
        await queries.remove_avatar(conn, account_id=visitor(request).account_id)
    raise web.HTTPSeeOther(PATH)


async def photo_of(request: web.Request) -> web.StreamResponse:
    """Somebody's picture: a browser keeps it, and asks each time whether it is still the same."""
    async with request.app[DATABASE].reading() as conn:
        row = await queries.avatar(conn, account_id=path_id(request, "account"))
    if row is None:
        raise web.HTTPNotFound
    headers = {hdrs.ETAG: f'"{row.version}"', hdrs.CACHE_CONTROL: "private, no-cache"}
    if any(tag.value == row.version for tag in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    return web.Response(body=row.jpeg, content_type="image/jpeg", headers=headers)


async def _uploaded(request: web.Request) -> bytes | Text:
    """What the field `photo` holds, or what is wrong with it. Raises: BadRequest."""
    if request.content_type != "multipart/form-data":
        return NOTHING
    if (request.content_length or 0) > FORM_BYTES_MAX:
        return TOO_MANY_BYTES
    try:
        async with timely(request):
            part = await (await request.multipart()).next()
            if isinstance(part, BodyPartReader) and part.name == "photo":
                return await _photo(part)
            # Another field isn't skipped: it would be read, however long it is.
            return NOTHING
    except (ValueError, AssertionError, RuntimeError, BadHttpMessage) as error:
        raise BadRequest(UNREADABLE) from error


async def _photo(part: BodyPartReader) -> bytes | Text:
    photo = bytearray()
    while chunk := await part.read_chunk():
        photo += chunk
        if len(photo) > PHOTO_BYTES_MAX:
            return TOO_MANY_BYTES
    return bytes(photo) or NOTHING


async def _answer(request: web.Request, mistake: Text | None) -> web.StreamResponse:
    me = visitor(request)
    async with request.app[DATABASE].reading() as conn:
        person = await accounts.person(conn, account_id=me.account_id)
        if person is None:
            raise web.HTTPNotFound
        shown = await face(conn, account_id=me.account_id, name=person.shown_name)
    return page(
        request,
        "avatars/photo.html",
        status=422 if mistake else 200,
        face=shown,
        mistake=mistake,
    )
