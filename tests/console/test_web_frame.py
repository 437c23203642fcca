"""What every page has in common: headers, limits, errors, static files, health."""

import asyncio
import json
import re
from pathlib import Path

import psycopg
import pytest

from console.database import Database, open_database
from console.web.headers import CONTENT_SECURITY_POLICY
from console.web.requests import local_path
from console.web.static_files import FOLDER, FilesMissing, dense, read_static_files
from tests.support.console_app import (
    Site,
    admin,
    log_in,
    member,
    served,
    settings_for,
    visiting,
)
from tests.support.postgres import Postgres
from tests.support.waiting import eventually

CONSOLE = Path(FOLDER).parent.parent
TEMPLATES = sorted(CONSOLE.glob("*/templates/*.html"))


@pytest.mark.parametrize(
    "path", TEMPLATES, ids=lambda path: f"{path.parent.parent.name}/{path.name}"
)
def test_no_template_holds_a_script_a_style_or_a_handler(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"<style|\sstyle\s*=", text, re.IGNORECASE)
    assert not re.search(r"\son[a-z]+\s*=|hx-on|javascript:", text, re.IGNORECASE)
    for script in re.findall(r"<script[^>]*>[^<]*", text, re.IGNORECASE):
        own = r'<script src="({{ "[^"]+"\|static }}|/[^"/][^"]*)" defer>'
        assert re.fullmatch(own, script), script
    assert not re.search(r"(?:src|href|action)=[\"'](?:https?:)?//", text), "nothing from elsewhere"
    assert "|safe" not in text or path.name == "icons.html", "only our own icons are not escaped"


def test_the_style_sheet_is_small_and_no_script_is_eval() -> None:
    assert len(dense((FOLDER / "console.css").read_bytes(), ".css")) <= 15_000
    script = (FOLDER / "console.js").read_text()
    assert not re.search(r"\beval\(|new Function|document\.write", script)


def test_what_is_served_of_our_own_files_has_no_comments_and_no_indentation() -> None:
    style = b"/* A\n line */\nmain > p, a:hover {\n  color: red; margin: calc(1px + 2px);\n}\n"
    assert dense(style, ".css") == b"main>p,a:hover{color:red;margin:calc(1px + 2px)}"
    script = b"// Why\n'use strict';\n\n  // and so\n  fetch('https://x'); // kept\n"
    assert dense(script, ".js") == b"'use strict';fetch('https://x');// kept\n"


@pytest.mark.parametrize("name", ["console.js", "demo.js"])
def test_what_a_script_of_ours_says_stays_as_it_is_written(name: str) -> None:
    (path,) = Path("console").rglob(f"static/{name}")
    script = path.read_text("utf-8")
    served = dense(script.encode(), ".js").decode()
    said = re.findall(r'"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`', script)
    assert said
    assert [each for each in said if each not in served] == []


async def test_every_answer_carries_the_headers_that_protect_it(site: Site) -> None:
    await member(site.connection, "kari")
    client = await site.browser("kari")
    style = re.search(r"/static/[0-9a-f]+/console\.css", await (await client.get("/")).text())
    assert style is not None
    for path in ("/", "/nowhere", "/cards/unknown", "/healthz", style[0]):
        headers = (await client.get(path)).headers
        assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Server"] == "p2k16", "no versions"
        assert "Strict-Transport-Security" not in headers, "it is reached by plain HTTP"
        assert ("no-store" in headers["Cache-Control"]) is (path != style[0])
    assert "default-src 'self'" in CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "frame-ancestors 'none'" in CONTENT_SECURITY_POLICY


async def test_a_browser_that_came_by_https_comes_back_by_it(
    database: Database, database_url: str
) -> None:
    settings = settings_for(database_url, public_url="https://p2k16.example.org")
    async with served(database, settings) as server, visiting(server) as client:
        headers = (await client.get("/login")).headers
    assert headers["Strict-Transport-Security"] == "max-age=31536000"


async def test_static_files_are_kept_for_ever_under_the_hash_of_their_content(site: Site) -> None:
    client = await site.browser()
    address = read_static_files().address("console.js")
    answer = await client.get(address)
    assert answer.status == 200
    assert answer.content_type == "text/javascript"
    assert "immutable" in answer.headers["Cache-Control"]
    assert await answer.read() == dense((FOLDER / "console.js").read_bytes(), ".js")
    for wrong in (
        re.sub(r"/static/.{16}", "/static/0123456789abcdef", address),
        address.replace("console.js", "console.css"),
        address.replace("console.js", "../static_files.py"),
        address.replace("console.js", "%2e%2e/%2e%2e/app.py"),
    ):
        assert (await client.get(wrong)).status == 404, wrong


def test_missing_scripts_are_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(FilesMissing, match=r"vendor/htmx\.min\.js.*make setup"):
        read_static_files(tmp_path)


async def test_healthz_says_which_part_does_not_answer(site: Site) -> None:
    client = await site.browser()
    answer = await client.get("/healthz")
    assert (answer.status, await answer.json()) == (
        200,
        {"database": "answers", "broker": "answers"},
    )
    site.broker.answers = False
    answer = await client.get("/healthz")
    assert (answer.status, await answer.json()) == (
        503,
        {"database": "answers", "broker": "does not answer"},
    )


async def test_without_a_database_pages_say_so_and_heal(postgres: Postgres) -> None:
    with postgres.database(template="p2k16_template") as url:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            await member(connection, "kari")
        name = url.split("@/")[1].split("?")[0]
        async with (
            open_database(settings_for(url)) as database,
            served(database, settings_for(url)) as server,
            visiting(server) as client,
        ):
            await log_in(client, "kari")
            assert (await client.get("/")).status == 200
            postgres.run(f"alter database {name} with allow_connections false".encode())
            end = "select pg_terminate_backend(pid) from pg_stat_activity where datname = "
            postgres.run(f"{end}'{name}'".encode())
            answer = await client.get("/")
            text = await answer.text()
            assert answer.status == 503
            assert "The database doesn&#39;t answer" in text
            assert "Traceback" not in text
            assert answer.headers["Retry-After"]
            health = await client.get("/healthz")
            assert (health.status, (await health.json())["database"]) == (503, "does not answer")
            assert (await client.get("/nowhere")).status == 404
            fragment = await client.get("/members", headers={"HX-Request": "true"})
            assert fragment.status == 503
            assert (await fragment.text()).lstrip().startswith('<p class="notice')
            postgres.run(f"alter database {name} with allow_connections true".encode())

            async def is_back() -> bool:
                return (await client.get("/")).status == 200

            await eventually(is_back, seconds=10, every=0.05)


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"username=%00&password=x", None, 400),
        (b"username=%ff&password=x", None, 400),
        (b"\xff\xfe", None, 400),
        (b"username=a&username=b", None, 400),
        (b"&".join(b"f%d=1" % n for n in range(60)), None, 400),
        (b"username=" + b"x" * 5000, None, 400),
        (b"username=" + b"x" * 70_000, None, 413),
        (b"{}", "application/json", 400),
        (b"--x\r\n\r\n", "multipart/form-data; boundary=x", 400),
        (b"username=a", "application/x-www-form-urlencoded; charset=nonsense", 200),
        (b"", None, 200),  # back at the form
        (b"username=%ED%A0%80", None, 400),
    ],
)
async def test_hostile_forms_are_refused_in_words(
    site: Site, body: bytes, content_type: str | None, status: int
) -> None:
    client = await site.browser()
    answer = await client.post(
        "/login",
        data=body,
        headers={"Content-Type": content_type or "application/x-www-form-urlencoded"},
    )
    text = await answer.text()
    assert answer.status == status
    assert "Traceback" not in text
    assert "<h1>" in text


async def test_a_garbled_body_is_the_senders_mistake(site: Site) -> None:
    client = await site.browser()
    answer = await client.post(
        "/login",
        data=b"no gzip",
        headers={
            "Content-Type": "application/x-www-form-urlencoded",
            "Content-Encoding": "gzip",
        },
    )
    assert answer.status == 400
    assert "can&#39;t be read" in await answer.text()


@pytest.mark.parametrize(
    "target",
    [
        b"/members?q=%00",
        b"/members?q=%ff%fe",
        b"/members?q=\xff\xfe",
        b"/members?q=%ED%A0%80",
        b"/members?q=" + b"x" * 5000,
        b"/members/99999999999999999999999",
        b"/members/%D9%A3",
        b"/login?next=%00%0d%0aSet-Cookie:%20x=y",
        b"/\xff",
        b"//evil.example/",
    ],
)
async def test_hostile_addresses_never_fail(site: Site, target: bytes) -> None:
    await member(site.connection, "kari")
    client = await site.browser("kari")
    cookie = next(iter(client.session.cookie_jar))
    reader, writer = await asyncio.open_connection(site.server.host, client.port)
    writer.write(
        b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        b"Cookie: " + f"{cookie.key}={cookie.value}".encode() + b"\r\n\r\n"
    )
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    status = int(answer.split(b" ", 2)[1])
    assert status < 500, answer[:200]
    assert b"Set-Cookie: x" not in answer


async def test_a_fault_of_ours_shows_no_inside(site: Site) -> None:
    await admin(site.connection, "ola")
    client = await site.browser("ola")
    await site.connection.execute("alter table circle rename to circle_gone")
    answer = await client.get("/circles")
    assert answer.status == 500
    text = await answer.text()
    assert "fault of the console" in text
    assert "circle_gone" not in text
    assert "psycopg" not in text


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/members?q=a&b=c", "/members?q=a&b=c"),
        ("/", "/"),
        (None, "/"),
        ("", "/"),
        ("members", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a\\..\\b", "/"),
        ("https://evil.example/", "/"),
        ("/\t/evil.example", "/"),
        ("/a\r\nX: y", "/"),
        ("/" + "x" * 600, "/"),
        ("///evil.example", "/"),
    ],
)
def test_only_paths_of_this_site_are_gone_back_to(text: str | None, path: str) -> None:
    assert local_path(text) == path


def test_json_of_the_page_head_is_json() -> None:
    frame = (CONSOLE / "web" / "templates" / "frame.html").read_text()
    found = re.search(r"name=\"htmx-config\" content='([^']+)'", frame)
    assert found is not None
    config = json.loads(found[1])
    assert config["allowEval"] is False
    assert config["includeIndicatorStyles"] is False
