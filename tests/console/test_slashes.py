"""Slashes that stand side by side in a path count as one, and lead nowhere but to this site."""

import asyncio

import pytest

from tests.support.console_app import Site, member


async def answer(
    site: Site, target: str, *, method: str = "GET", who: str | None = None
) -> tuple[int, str | None]:
    """Status and Location for exactly these bytes of a request line."""
    client = await site.browser(who)
    cookies = "; ".join(f"{one.key}={one.value}" for one in client.session.cookie_jar)
    reader, writer = await asyncio.open_connection(site.server.host, client.port)
    writer.write(
        f"{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n"
        f"Cookie: {cookies}\r\n\r\n".encode("latin-1")
    )
    head = (await asyncio.wait_for(reader.read(), 5)).split(b"\r\n\r\n")[0].decode("latin-1")
    writer.close()
    lines = head.split("\r\n")
    found = [line[10:] for line in lines if line.lower().startswith("location: ")]
    return int(lines[0].split(" ")[1]), found[0] if found else None


@pytest.mark.parametrize(
    ("target", "there"),
    [
        ("/data//profile", "/data/profile"),
        ("//data/profile", "/data/profile"),
        ("///data////account//07", "/data/account/07"),
        ("/data//account/%37", "/data/account/%37"),
        ("//login?next=%2Fme&a=//b", "/login?next=%2Fme&a=//b"),
        ("//", "/"),
        ("//?next=//evil.example", "/?next=//evil.example"),
    ],
)
async def test_a_path_with_too_many_slashes_leads_to_the_one_that_is_meant(
    site: Site, target: str, there: str
) -> None:
    await member(site.connection, "kari")
    for who in (None, "kari"):
        assert await answer(site, target, who=who) == (308, there)
    assert await answer(site, target, method="HEAD") == (308, there)


async def test_method_and_body_go_along(site: Site) -> None:
    assert await answer(site, "/service//authz/log-out", method="POST") == (
        308,
        "/service/authz/log-out",
    )
    client = await site.browser()
    async with client.post("/service//authz//log-in", json={"username": "x"}) as there:
        assert (there.status, await there.json(content_type=None)) == (
            400,
            {"message": "password: is missing"},
        )


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "//evil.example/",
        "//evil.example//data/profile",
        "//evil.example/data//profile",
        "///evil.example/%2e%2e",
        "/\\evil.example",
        "//\\evil.example",
        "/%5C//evil.example",
        "//%5Cevil.example",
        "/%2F/evil.example",
        "/%2Fevil.example//",
        "//%09/evil.example",
        "/data//profile//",
        "/data//nowhere",
        "/data%2F%2Fprofile",
        "//login?next=" + "x" * 600,
    ],
)
async def test_where_nothing_is_nobody_is_sent(site: Site, target: str) -> None:
    assert await answer(site, target) == (404, None)


@pytest.mark.parametrize("target", ["http://evil.example//data//profile", "//data//profile"])
async def test_a_redirect_names_no_host(site: Site, target: str) -> None:
    assert await answer(site, target) == (308, "/data/profile")
