"""The recorded requests of the old web app get the recorded answers, or better ones."""

from pathlib import Path

from tests.support.replay import old_api

ACCEPTED: dict[int, str] = {}
"""Records that differ beyond what the recordings allow, by number, each with its reason: none."""


def test_every_recorded_request_is_answered_as_it_was(tmp_path: Path, empty_database_url: str):
    with old_api(tmp_path, empty_database_url) as api:
        done = api.replay()
    assert done.returncode in {0, 1}, done.stderr
    differences = [one for one in api.differences() if one["n"] not in ACCEPTED]
    assert not differences, done.stdout[-4000:]
