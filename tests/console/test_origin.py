"""Which requests are taken for another web site's doing."""

import pytest

from console.web.origin import Sender, is_foreign
from tests.support.console_app import PASSWORD, Site, log_in, member

HOST = "console.lan:8016"
PUBLIC = "https://space.example/"


def foreign(
    *,
    origin: str | None = None,
    site: str | None = None,
    public_url: str | None = None,
    method: str = "POST",
    path: str = "/logout",
    host: str | None = HOST,
) -> bool:
    sender = Sender(
        method=method,
        path=path,
        host=host,
        origins=[] if origin is None else [origin],
        fetch_sites=[] if site is None else [site],
    )
    return is_foreign(sender, public_url=public_url)


@pytest.mark.parametrize("public_url", [None, PUBLIC])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_change_without_either_header_passes(public_url: str | None, method: str) -> None:
    assert not foreign(method=method, public_url=public_url)


@pytest.mark.parametrize("site", ["same-origin", "none", "Same-Origin"])
def test_the_browser_saying_same_origin_or_none_passes(site: str) -> None:
    assert not foreign(site=site)
    assert not foreign(site=site, public_url=PUBLIC)


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "nonsense"])
def test_any_other_site_is_foreign(site: str) -> None:
    assert foreign(site=site)
    assert foreign(site=site, public_url=PUBLIC)


@pytest.mark.parametrize(
    ("origin", "is_ours"),
    [
        (f"http://{HOST}", True),
        (f"HTTP://{HOST.upper()}", True),
        (f"https://{HOST}", False),
        ("http://console.lan", False),
        ("http://console.lan:8017", False),
        ("http://evil.example", False),
        (f"http://{HOST}.evil.example", False),
        ("null", False),
        ("", False),
        ("file://", False),
        ("http://[broken", False),
        ("http://console.lan:notaport", False),
    ],
)
def test_without_a_public_url_ours_is_http_and_the_host(origin: str, is_ours: bool) -> None:
    assert foreign(origin=origin) is not is_ours


@pytest.mark.parametrize(
    ("origin", "is_ours"),
    [
        ("https://space.example", True),
        ("https://space.example:443", True),
        ("http://space.example", False),
        (f"http://{HOST}", False),
        ("https://space.example.evil", False),
        ("null", False),
    ],
)
def test_with_a_public_url_ours_is_that_alone(origin: str, is_ours: bool) -> None:
    assert foreign(origin=origin, public_url=PUBLIC) is not is_ours


def test_default_ports_are_the_same_origin() -> None:
    assert not foreign(origin="http://console.lan", host="console.lan:80")
    assert not foreign(origin="http://console.lan:80", host="console.lan")


def test_one_foreign_header_is_enough() -> None:
    assert foreign(origin=f"http://{HOST}", site="cross-site")
    assert foreign(origin="http://evil.example", site="same-origin")
    two = Sender("POST", "/logout", HOST, [f"http://{HOST}", "http://evil.example"], [])
    assert is_foreign(two, public_url=None)


def test_without_a_host_every_origin_is_foreign() -> None:
    assert foreign(origin="http://", host=None)
    assert foreign(origin=f"http://{HOST}", host=None)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_reading_is_never_refused(method: str) -> None:
    assert not foreign(method=method, origin="http://evil.example", site="cross-site")


def test_the_signed_webhook_is_exempt_and_nothing_like_it() -> None:
    webhook = "/membership/stripe/webhook"
    assert not foreign(path=webhook, origin="https://stripe.example", site="cross-site")
    assert foreign(path=webhook + "/", origin="https://stripe.example")
    assert foreign(path="/x" + webhook, site="cross-site")


async def test_a_foreign_form_can_log_nobody_out(site: Site) -> None:
    await member(site.connection, "kari")
    client = await site.browser("kari")
    own = str(site.server.make_url("/").origin())
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = await client.post("/logout", headers=headers, allow_redirects=False)
        assert answer.status == 403
        assert "another web site" in await answer.text()
    assert (await client.get("/me", allow_redirects=False)).status == 200
    answer = await client.post("/logout", headers={"Origin": own}, allow_redirects=False)
    assert answer.status == 303


async def test_a_script_without_those_headers_may_log_in(site: Site) -> None:
    await member(site.connection, "kari")
    client = await site.browser()
    assert (await log_in(client, "kari", PASSWORD)).status == 302
