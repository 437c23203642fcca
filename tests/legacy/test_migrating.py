"""docs/migrating.md: nginx, as written there, sends each feature where it belongs."""

import http.server
import re
import subprocess
import threading
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.brokers import free_port, require_program
from tests.support.console_app import Site
from tests.support.waiting import eventually_sync

GUIDE = (Path(__file__).parents[2] / "docs" / "migrating.md").read_text()
CONSOLE_PAGES = (
    "/members",
    "/members/7",
    "/doors/front",
    "/me",
    "/me/account",
    "/live",
    "/run",
    "/search?q=kari",
    "/badges/7",
    "/companies",
    "/money",
    "/log/changes",
    "/join",
    f"/static/{'0a' * 8}/x.css",
)
MOVED = {
    "pages.conf": CONSOLE_PAGES,
    "reading.conf": (
        *("/data/profile", "/data/profile-summary", "/data/account/7", "/data/account-summary/7"),
        *("/service/recent-events", "/frontpage-graph", "/stripe-stats.png"),
        "/api/memberinfo?username=kari",
    ),
    "circles.conf": (
        *("/data/circle", "/data/circle/2", "/service/circle/create-membership"),
        *("/data/account/remove-membership", "/data/company", "/data/company/3/cmd/add-employee"),
        *("/badge/create-badge", "/badge/badges-for-user/7"),
    ),
    "tools.conf": (
        *("/data/tool", "/data/tool/5", "/service/tool/checkout", "/service/tool/recent-events"),
        "/service/label/print_box_label",
    ),
    "doors.conf": ("/service/door/open",),
    "membership.conf": ("/membership/tiers", "/membership/stripe/webhook"),
    "directory.conf": ("/passwd.php", "/core/ldap/users.ldif"),
}
NEVER_MOVED_ALONE = (
    *("/", "/login", "/logout", "/service/authz/log-in", "/service/set-password", "/data/toolbox"),
    *("/static/front-page.html", "/set-new-password", "/data/profiles"),
)


WITH_THE_OLD = frozenset(
    {
        *("", "api", "badge", "core", "data", "frontpage-graph", "membership", "passwd.php"),
        *("protected", "service", "stripe-stats.png"),
        *("forgot-password", "login", "reset-password-form", "set-new-password"),
    }
)
"""First parts of paths that the old application has as well: they move with their features, and the
log-in last."""
HERE = frozenset({"healthz"})
"""Asked for on the server itself."""


def snippets() -> dict[str, str]:
    """The nginx blocks of the guide by the file name in their first line."""
    blocks = re.findall(r"```nginx\n# (\S+)\n(.*?)```", GUIDE, re.DOTALL)
    return {Path(name).name: text for name, text in blocks}


@dataclass
class Upstream:
    """Answers everything with its own name and the headers that it was sent."""

    name: str
    port: int


@contextmanager
def upstream(name: str) -> Generator[Upstream]:
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"{name} {self.headers['Host']} {self.headers['X-Forwarded-For']}".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Upstream(name, server.server_port)
    finally:
        server.shutdown()
        server.server_close()


class Nginx:
    """A real nginx with the guide's configuration; only addresses and certificates are ours."""

    def __init__(self, folder: Path, old: Upstream, console: Upstream) -> None:
        self.program = require_program("nginx")
        self.folder = folder
        self.port = free_port()
        self.moved = folder / "moved"
        self.moved.mkdir()
        self._upstreams = {"5000": old.port, "8016": console.port}
        self._process: subprocess.Popen[bytes] | None = None

    def write(self, main: str) -> None:
        for port, ours in self._upstreams.items():
            main = main.replace(f"127.0.0.1:{port}", f"127.0.0.1:{ours}")
        main = main.replace("listen 443 ssl;", f"listen 127.0.0.1:{self.port};")
        main = main.replace("/etc/nginx/p2k16-moved", str(self.moved))
        main = re.sub(r"^\s*ssl_certificate.*$", "", main, flags=re.MULTILINE)
        (self.folder / "nginx.conf").write_text(
            f"pid {self.folder}/pid; error_log {self.folder}/error.log; daemon off;\n"
            "events {}\nhttp { access_log off;\n"
            + "".join(
                f"{kind}_temp_path {self.folder}/{kind};\n"
                for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
            )
            + main
            + "}\n"
        )

    def check(self) -> None:
        done = subprocess.run(
            [self.program, "-t", "-c", self.folder / "nginx.conf"], capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()

    def start(self) -> None:
        self.check()
        self._process = subprocess.Popen([self.program, "-c", str(self.folder / "nginx.conf")])
        eventually_sync(lambda: self.answers("/"))

    def reload(self) -> None:
        self.stop()
        self.start()

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)

    def answers(self, path: str, *, method: str = "GET") -> str:
        """Who answered, and with which host and address it was asked."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            method=method,
            headers={"Host": "p2k16.example.org", "X-Forwarded-For": "6.6.6.6"},
        )
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.read().decode()
        except OSError:
            return ""


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[Nginx]:
    with upstream("old") as old, upstream("console") as console:
        running = Nginx(tmp_path, old, console)
        running.write(snippets()["p2k16.conf"])
        yield running
        running.stop()


def by(nginx: Nginx, path: str) -> str:
    return nginx.answers(path).split(" ")[0]


def test_on_the_first_day_everything_goes_to_the_old_application(nginx: Nginx):
    nginx.start()
    for path in (*NEVER_MOVED_ALONE, *(path for paths in MOVED.values() for path in paths)):
        assert by(nginx, path) == "old", path


def test_the_console_learns_the_host_name_and_the_true_address(nginx: Nginx):
    (nginx.moved / "doors.conf").write_text(snippets()["doors.conf"])
    nginx.start()
    assert nginx.answers("/service/door/open") == "console p2k16.example.org 127.0.0.1"


@pytest.mark.parametrize("feature", MOVED)
def test_a_feature_moves_alone_and_goes_back(nginx: Nginx, feature: str):
    (nginx.moved / feature).write_text(snippets()[feature])
    nginx.start()
    for path in MOVED[feature]:
        assert by(nginx, path) == "console", path
    for other, paths in MOVED.items():
        if other != feature:
            for path in paths:
                assert by(nginx, path) == "old", path
    for path in NEVER_MOVED_ALONE:
        assert by(nginx, path) == "old", path
    (nginx.moved / feature).unlink()
    nginx.reload()
    assert by(nginx, MOVED[feature][0]) == "old"


def test_the_consoles_pages_log_out_at_the_console_and_the_old_ones_at_the_old(nginx: Nginx):
    (nginx.moved / "pages.conf").write_text(snippets()["pages.conf"])
    nginx.start()
    assert nginx.answers("/logout", method="POST").startswith("console ")
    assert nginx.answers("/logout").startswith("old ")


def test_all_features_together_are_a_valid_configuration(nginx: Nginx):
    for feature in MOVED:
        (nginx.moved / feature).write_text(snippets()[feature])
    nginx.check()


def test_every_page_of_the_consoles_own_moves_with_its_pages(site: Site):
    places = (
        {resource.canonical.split("/")[1] for resource in site.app.router.resources()}
        - WITH_THE_OLD
        - HERE
    )
    locations = re.findall(r"location (=|~) \"?(\S+?)\"? \{", snippets()["pages.conf"])
    patterns = [re.escape(text) + "$" if kind == "=" else text for kind, text in locations]
    missing = [
        place
        for place in sorted(places - {"static"})
        if not any(re.match(pattern, f"/{place}") for pattern in patterns)
    ]
    assert missing == []


def test_after_the_cut_everything_goes_to_the_console(nginx: Nginx):
    main = snippets()["p2k16.conf"]
    nginx.write(main.replace("location / { proxy_pass http://p2k16_old; }", snippets()["all.conf"]))
    nginx.start()
    for path in (*NEVER_MOVED_ALONE, *CONSOLE_PAGES):
        assert by(nginx, path) == "console", path


def test_every_snippet_of_the_guide_is_tested():
    assert set(snippets()) == {"p2k16.conf", "all.conf", *MOVED}
