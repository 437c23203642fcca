"""Commands of somebody who may not look into the data folder: a line each, with the remedy."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator

import pytest

from tests.edge.conftest import SIGNER
from tests.support.edge_daemon import EDGE, EdgeDaemon

Run = Callable[..., subprocess.CompletedProcess[str]]
REMEDY = "use sudo, or be the daemon's user"


@pytest.fixture
def run(daemon: EdgeDaemon) -> Iterator[Run]:
    """Runs a command without the right to the folder, which root has to give up first."""
    ordinary = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    prefix = [] if os.geteuid() else ordinary
    daemon.enrol(SIGNER.bundle("mqtt://127.0.0.1:1"))
    assert daemon.run("import", str(daemon.bundle)).returncode == 0
    (daemon.data_dir / "edge.sqlite").write_bytes(b"")
    daemon.data_dir.chmod(0)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*prefix, EDGE, *arguments, "--config", str(daemon.config)],
            capture_output=True,
            text=True,
            check=False,
            env=daemon.environment,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done

    yield run
    daemon.data_dir.chmod(0o700)


def test_a_check_goes_on_and_says_for_each_thing_how_to_look(run: Run) -> None:
    done = run("check")
    assert done.returncode == 1
    found = {one["what"]: one for one in map(json.loads, done.stdout.splitlines())}
    assert {"clock", "reader front", "relay front", "broker"} <= found.keys()
    for what in ("data_dir", "keys", "store", "enrolment"):
        assert (found[what]["verdict"], found[what]["remedy"]) == ("failed", REMEDY), what


@pytest.mark.parametrize(
    "arguments",
    [("status",), ("rights", "front"), ("self-test", "front", "--yes"), ("journal",)],
    ids=lambda arguments: arguments[0],
)
def test_what_asks_the_daemon_or_its_store_names_the_remedy(
    arguments: tuple[str, ...], run: Run
) -> None:
    done = run(*arguments)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.endswith(f": Permission denied. To ask, {REMEDY}")


def test_a_bundle_that_can_not_be_seen_is_not_taken_for_a_missing_one(
    run: Run, daemon: EdgeDaemon
) -> None:
    done = run("import", str(daemon.data_dir / "controller.json"))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(f": Permission denied. To import, {REMEDY}")
