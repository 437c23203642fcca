"""Enrolment: taken over once, kept for its user alone, and never turned into somebody else."""

from dataclasses import replace
from pathlib import Path

import pytest

from edge.enrolment import KEPT_NAME, enrol
from sync.bundle import Bundle, encode_bundle
from sync.ids import ControllerId
from tests.support.signer import Signer

BUNDLE = Signer().bundle()
OTHER = Signer(controller=ControllerId("back-pi")).bundle()
FOREIGN = Signer(root_seed=b"\x09" * 32).bundle()
RENEWED = replace(BUNDLE, broker_password="another")


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "bundle.json"


def put(file: Path, bundle: Bundle) -> None:
    file.write_bytes(encode_bundle(bundle))


def test_a_bundle_is_taken_over_kept_and_deleted(data_dir: Path, file: Path) -> None:
    put(file, BUNDLE)
    file.chmod(0o644)
    taken = enrol(data_dir, file)
    assert (taken.bundle, taken.problem) == (BUNDLE, None)
    assert not file.exists()
    assert (data_dir / KEPT_NAME).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in data_dir.iterdir()] == [KEPT_NAME]


def test_once_enrolled_the_file_may_be_missing(data_dir: Path, file: Path) -> None:
    put(file, BUNDLE)
    enrol(data_dir, file)
    for offered in (file, None):
        again = enrol(data_dir, offered)
        assert (again.bundle, again.problem) == (BUNDLE, None)


def test_without_a_bundle_the_controller_waits_and_says_for_what(
    data_dir: Path, file: Path
) -> None:
    waiting = enrol(data_dir, file)
    assert waiting.bundle is None
    assert waiting.problem is not None
    assert str(file) in waiting.problem
    assert enrol(data_dir, None).problem is not None


@pytest.mark.parametrize("other", [OTHER, FOREIGN], ids=["another controller", "another console"])
def test_a_bundle_of_somebody_else_is_refused_and_left_where_it_is(
    other: Bundle, data_dir: Path, file: Path
) -> None:
    put(file, BUNDLE)
    enrol(data_dir, file)
    put(file, other)
    refused = enrol(data_dir, file)
    assert refused.bundle == BUNDLE
    assert refused.problem is not None
    assert "another" in refused.problem
    assert file.exists()


def test_the_same_bundle_again_is_deleted_again(data_dir: Path, file: Path) -> None:
    for _ in range(2):
        put(file, BUNDLE)
        assert enrol(data_dir, file).bundle == BUNDLE
        assert not file.exists()


def test_its_own_console_may_give_it_new_secrets(data_dir: Path, file: Path) -> None:
    put(file, BUNDLE)
    enrol(data_dir, file)
    put(file, RENEWED)
    assert enrol(data_dir, file).bundle == RENEWED
    assert enrol(data_dir, None).bundle == RENEWED


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\x00", b" " * 20_000])
def test_a_file_that_is_no_bundle_is_left_with_a_reason(
    content: bytes, data_dir: Path, file: Path
) -> None:
    file.write_bytes(content)
    refused = enrol(data_dir, file)
    assert refused.bundle is None
    assert refused.problem is not None
    assert "is no bundle" in refused.problem
    assert file.exists()
    assert not list(data_dir.iterdir())


@pytest.mark.parametrize("name", [KEPT_NAME, "../link.json"], ids=["by its name", "by a link"])
def test_what_is_kept_is_not_taken_over_and_so_not_deleted(
    name: str, data_dir: Path, file: Path
) -> None:
    put(file, BUNDLE)
    enrol(data_dir, file)
    (data_dir / "../link.json").symlink_to(data_dir / KEPT_NAME)
    refused = enrol(data_dir, data_dir / name)
    assert refused.bundle == BUNDLE
    assert refused.problem is not None
    assert "is what this controller keeps" in refused.problem
    assert enrol(data_dir, None).bundle == BUNDLE


def test_what_was_left_by_a_power_cut_is_overwritten(data_dir: Path, file: Path) -> None:
    (data_dir / f"{KEPT_NAME}.new").write_text("half")
    put(file, BUNDLE)
    assert enrol(data_dir, file).bundle == BUNDLE


def test_a_damaged_enrolment_lets_nobody_in_and_says_so(data_dir: Path, file: Path) -> None:
    (data_dir / KEPT_NAME).write_text("{}")
    put(file, BUNDLE)
    damaged = enrol(data_dir, file)
    assert damaged.bundle is None
    assert damaged.problem is not None
    assert KEPT_NAME in damaged.problem
    assert file.exists()


def test_no_secret_shows_in_a_repr() -> None:
    for secret in (BUNDLE.private_key.hex(), BUNDLE.broker_password, repr(BUNDLE.entry_key)):
        assert secret not in repr(BUNDLE)
