"""A photo becomes a small square without secrets, or is refused; and who gets to see it."""

import asyncio
import struct
import sys
import zlib
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from io import BytesIO
from typing import Any

import pytest
from aiohttp import FormData
from PIL import Image

from console.avatars.photo import PLACES, Converter, NoPhoto, Square
from console.avatars.routes import initials
from console.avatars.square import NO_PHOTO, SIDE, TOO_LARGE, square_of
from console.supervision import end
from console.web import requests
from tests.support import console_app
from tests.support.console_app import Client, Site
from tests.support.waiting import eventually

LIMITED = """
import resource, signal, sys, tempfile
from console.avatars.square import limit_oneself

limit_oneself()
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
print(resource.getrlimit(resource.RLIMIT_CPU)[1])
try:
    bytearray(1_000_000_000)
except MemoryError:
    print("no memory")
try:
    with tempfile.TemporaryFile() as file:
        file.write(b"x")
except OSError:
    print("no file")
"""


def photo(form: str = "JPEG", size: tuple[int, int] = (400, 200), **saving: Any) -> bytes:
    """Left red, right blue."""
    image = Image.new("RGB", size, "red")
    image.paste("blue", (size[0] // 2, 0, *size))
    out = BytesIO()
    image.save(out, form, **saving)
    return out.getvalue()


def seen(made: bytes | int) -> Image.Image:
    assert isinstance(made, bytes)
    assert len(made) <= 20 * 1024
    image = Image.open(BytesIO(made))
    assert (image.format, image.size) == ("JPEG", (SIDE, SIDE))
    return image


def bomb(side: int) -> bytes:
    """A PNG that says that it is that large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(3 * side + 1))
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_the_middle_of_a_photo_becomes_the_square(form: str):
    image = seen(square_of(photo(form)))
    red, blue = image.getpixel((5, 64)), image.getpixel((122, 64))
    assert isinstance(red, tuple)
    assert isinstance(blue, tuple)
    assert red[0] > 200 > red[2]
    assert blue[2] > 200 > blue[0]


def test_of_what_a_camera_writes_nothing_is_left_and_the_picture_stands_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it by a quarter
    exif[0x010E] = "her kitchen"
    image = seen(square_of(photo(exif=exif, comment=b"her kitchen")))
    assert not image.getexif()
    assert "comment" not in image.info
    top = image.getpixel((64, 5))
    assert isinstance(top, tuple)
    assert top[0] > 200, "left became the top"


def test_what_shows_through_becomes_white():
    out = BytesIO()
    Image.new("RGBA", (50, 50), (0, 0, 0, 0)).save(out, "PNG")
    assert seen(square_of(out.getvalue())).getpixel((64, 64)) == (255, 255, 255)


@pytest.mark.parametrize(
    "junk",
    [b"", b"GIF89a", b"\xff\xd8\xff\xe0", photo()[:600], photo("GIF"), photo("BMP"), photo("TIFF")],
    ids=["nothing", "a beginning", "a JPEG's beginning", "cut off", "GIF", "BMP", "TIFF"],
)
def test_anything_else_is_no_photo(junk: bytes):
    assert square_of(junk) == NO_PHOTO


@pytest.mark.parametrize("side", [7_000, 20_000, 200_000])
def test_what_would_fill_the_memory_is_refused_by_its_size(side: int):
    assert square_of(bomb(side)) == TOO_LARGE


async def test_the_program_converts_and_says_what_it_can_not():
    converter = Converter()
    made = await converter.square(photo("PNG"))
    assert isinstance(made, Square)
    seen(made.jpeg)
    assert isinstance(await converter.square(b"<svg/>"), NoPhoto)
    refused = await converter.square(bomb(20_000))
    assert isinstance(refused, NoPhoto)
    assert "too many pixels" in refused.words


async def test_the_program_can_neither_take_the_memory_nor_the_time_nor_write():
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", LIMITED),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complaint = await program.communicate()
    assert said.split() == [b"5", b"no", b"memory", b"no", b"file"], complaint


def test_initials_are_of_the_first_and_the_last_word():
    assert initials("Kari Nordmann") == "KN"
    assert initials("anne-grete lie (leder) moe") == "AM"
    assert initials("ola") == "O"
    assert initials(" ") == "?"


async def upload(browser: Client, data: bytes, name: str = "photo") -> tuple[int, str]:
    form = FormData()
    form.add_field(name, data, filename="me.jpg", content_type="image/jpeg")
    answer = await browser.post("/me/photo", data=form, allow_redirects=False)
    return answer.status, await answer.text()


async def test_a_photo_is_shown_on_her_pages_until_she_removes_it(site: Site):
    kari = await console_app.member(site.connection, "kari", name="Kari Nordmann")
    await console_app.member(site.connection, "per")
    hers, pers = await site.browser("kari"), await site.browser("per")
    assert ">KN<" in await (await pers.get(f"/members/{kari}")).text()
    assert (await upload(hers, photo()))[0] == 303
    image = f'src="/members/{kari}/photo"'
    for browser, path in ((hers, "/me"), (hers, "/me/photo"), (pers, f"/members/{kari}")):
        assert image in await (await browser.get(path)).text()
    answer = await pers.get(f"/members/{kari}/photo")
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    seen(await answer.read())
    tag = {"If-None-Match": answer.headers["ETag"]}
    again = await pers.get(f"/members/{kari}/photo", headers=tag)
    assert (again.status, await again.read()) == (304, b"")
    assert (await upload(hers, photo(size=(90, 300))))[0] == 303
    assert (await pers.get(f"/members/{kari}/photo", headers=tag)).status == 200
    await hers.post("/me/photo/removal")
    assert (await pers.get(f"/members/{kari}/photo")).status == 404
    assert ">KN<" in await (await hers.get("/me")).text()


async def test_strangers_see_no_photo(site: Site):
    kari = await console_app.member(site.connection, "kari")
    await upload(await site.browser("kari"), photo())
    answer = await (await site.browser()).get(f"/members/{kari}/photo", allow_redirects=False)
    assert answer.status in {303, 401}


async def test_what_is_no_photo_is_refused_in_words_and_the_old_one_stays(site: Site):
    kari = await console_app.member(site.connection, "kari")
    browser = await site.browser("kari")
    await upload(browser, photo())
    for data, words in (
        (b"", "Choose a photo first."),
        (b"no photo", "This is no photo that can be read."),
        (bytes(5 * 1024 * 1024 + 1), "more than 5 MB"),
        (bytes(7 * 1024 * 1024), "more than 5 MB"),
        (bomb(20_000), "too many pixels"),
    ):
        status, text = await upload(browser, data)
        assert (status, words in text) == (422, True), words
    assert (await upload(browser, photo(), name="other"))[0] == 422
    assert (await browser.post("/me/photo", data={"photo": "me"})).status == 422
    answer = await browser.post(
        "/me/photo", data=b"--x", headers={"Content-Type": "multipart/form-data; boundary=y"}
    )
    assert answer.status in {400, 422}
    assert (await browser.get(f"/members/{kari}/photo")).status == 200


async def test_the_audit_says_that_a_photo_came_and_not_what_it_shows(site: Site):
    await console_app.member(site.connection, "kari")
    await upload(await site.browser("kari"), photo())
    cursor = await site.connection.execute(
        "select operation, new ->> 'jpeg' from access.audit where place = 'access.avatar'"
    )
    assert await cursor.fetchall() == [("added", "(secret)")]


BEGINNING = b'--B\r\nContent-Disposition: form-data; name="photo"; filename="a"\r\n\r\n'
MULTIPART = {"Content-Type": "multipart/form-data; boundary=B"}


@asynccontextmanager
async def stalled(browser: Client) -> AsyncGenerator[asyncio.Task[int]]:
    """An upload that has begun and doesn't go on; its status once it is answered."""
    begun = asyncio.Event()

    async def body() -> AsyncGenerator[bytes]:
        yield BEGINNING + bytes(1000)
        begun.set()
        await asyncio.Event().wait()

    async def send() -> int:
        return (await browser.post("/me/photo", data=body(), headers=MULTIPART)).status

    sending = asyncio.create_task(send())
    await begun.wait()
    await asyncio.sleep(0.2)
    yield sending
    await end(sending)


async def test_each_has_one_upload_at_a_time_and_all_together_a_few(site: Site):
    await console_app.member(site.connection, "kari")
    kari = await site.browser("kari")
    async with AsyncExitStack() as stack:
        for number in range(PLACES):
            await console_app.member(site.connection, f"slow{number}")
            browser = await site.browser(f"slow{number}")
            await stack.enter_async_context(stalled(browser))
            if not number:
                assert (await upload(browser, photo()))[0] == 503
                assert (await upload(kari, photo()))[0] == 303
        assert (await upload(kari, photo()))[0] == 503
    await eventually(lambda: was_taken(kari))


async def was_taken(browser: Client) -> bool:
    return (await upload(browser, photo()))[0] == 303


async def test_an_upload_that_does_not_go_on_gives_its_place_back(
    site: Site, monkeypatch: pytest.MonkeyPatch
):
    await console_app.member(site.connection, "kari")
    browser = await site.browser("kari")
    monkeypatch.setattr(requests, "BODY_SECONDS", 0.4)
    async with stalled(browser) as sending:
        assert await sending == 400
    assert await was_taken(browser)


async def test_of_a_form_no_more_is_read_than_a_photo_has(site: Site):
    await console_app.member(site.connection, "kari")
    browser, sent = await site.browser("kari"), 0

    async def body() -> AsyncGenerator[bytes]:
        nonlocal sent
        yield BEGINNING.replace(b"photo", b"other")
        while True:
            sent += 2**20
            yield bytes(2**20)

    sending = asyncio.create_task(browser.post("/me/photo", data=body(), headers=MULTIPART))
    await asyncio.wait([sending], timeout=15)
    assert (await sending).status == 422
    assert sent < 20 * 2**20


@pytest.mark.parametrize(
    "garbage",
    [
        b"--B\r\nX: " + b"a" * 3_000_000 + b"\r\n\r\n",
        b"--B\r\n" + b"X: a\r\n" * 500_000 + b"\r\n\r\n",
        BEGINNING.replace(b"photo", b"_charset_") + b"x" * 100 + b"\r\n--B--\r\n",
        b"--B\r\nContent-Disposition\r\n\r\n",
        b"x" * 3_000_000,
        b"x\r\n" * 1_000_000,
    ],
    ids=["a long header", "many headers", "a charset", "no header", "no parts", "many lines"],
)
async def test_a_form_that_is_none_is_refused_in_words(site: Site, garbage: bytes):
    await console_app.member(site.connection, "kari")
    browser = await site.browser("kari")
    answer = await browser.post("/me/photo", data=garbage, headers=MULTIPART)
    assert (answer.status, "it is garbled" in await answer.text()) == (400, True)
