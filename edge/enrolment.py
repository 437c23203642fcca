"""Who this controller is: takes a bundle over once, keeps it, and deletes the file it came in.

Kept in `data_dir` for its user alone. A file that can't be taken over stays where it is, with the
reason for the status. Asking again, while there is none yet, is the daemon's business.
Source: sync/README.md, "Enrolment".
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from edge.broker_url import read_broker_url
from edge.claim import give_to_owner
from edge.errors import EdgeError
from edge.regular_file import read_regular
from sync.bundle import BUNDLE_BYTES_MAX, Bundle, decode_bundle
from sync.errors import WireError

log = structlog.get_logger()

KEPT_NAME = "controller.json"


class EnrolmentError(EdgeError):
    """A bundle that can't be taken over, or an enrolment that can't be read."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """`bundle` None: not enrolled, nobody gets in. `problem`: what a person should know or do."""

    bundle: Bundle | None
    problem: str | None


def enrol(data_dir: Path, offered: Path | None) -> Enrolment:
    """Who this controller is, after taking over the file `offered` if there is one."""
    try:
        kept = read_kept(data_dir)
    except EnrolmentError as error:
        return Enrolment(None, str(error))
    try:
        if offered is not None:
            check_is_apart(data_dir, offered)
        content = None if offered is None else _read(offered)
        if offered is None or content is None:
            return Enrolment(kept, None if kept else _not_enrolled(offered))
        bundle = _decode_offered(offered, content)
        if bundle != kept:
            check_may_replace(kept, bundle, offered)
            _keep(data_dir, content)
            log.info("controller.enrolled", controller=bundle.controller, anew=kept is not None)
    except EnrolmentError as error:
        return Enrolment(kept, str(error))
    return Enrolment(bundle, _delete(offered))


def read_kept(data_dir: Path) -> Bundle | None:
    """The bundle taken over earlier; None: there is none. Raises: EnrolmentError."""
    content = _read(data_dir / KEPT_NAME)
    return None if content is None else _decode(data_dir / KEPT_NAME, content)


def read_offered(path: Path) -> Bundle | None:
    """The bundle in a file; None: there is no file. Raises: EnrolmentError."""
    content = _read(path)
    return None if content is None else _decode_offered(path, content)


def check_is_apart(data_dir: Path, offered: Path) -> None:
    """What is taken over is deleted: never what is kept. Raises: EnrolmentError."""
    try:
        is_same = (data_dir / KEPT_NAME).samefile(offered)
    except OSError:  # at least one of them isn't there, or reading it will tell
        return
    if is_same:
        raise EnrolmentError(
            f"{offered} is what this controller keeps, no bundle to take over; it is left there. "
            "Name the file that p2k16-console controllers enrol wrote"
        )


def check_may_replace(kept: Bundle | None, offered: Bundle, path: Path) -> None:
    """A controller stays what it is. New keys and passwords of its own console it takes.

    Raises: EnrolmentError.
    """
    if kept is None:
        return
    if offered.controller != kept.controller:
        raise EnrolmentError(
            f"{path} is for controller {offered.controller}, but this is {kept.controller}; "
            "it is left there. Remove it, or give this machine another data_dir"
        )
    if offered.root_public_key != kept.root_public_key:
        raise EnrolmentError(
            f"{path} comes from another console than the one that enrolled this controller; "
            "it is left there. Remove it, or give this machine another data_dir"
        )


def _not_enrolled(offered: Path | None) -> str:
    if offered is None:
        return "not enrolled, and the settings name no bundle"
    return f"not enrolled: waiting for {offered}, which p2k16-console controllers enrol writes"


def _read(path: Path) -> bytes | None:
    try:
        return read_regular(path, bytes_max=BUNDLE_BYTES_MAX)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        is_denied = isinstance(error, PermissionError)
        remedy = "Let this user read it" if is_denied else "Name the file that was written for it"
        raise EnrolmentError(f"{path} can't be read: {error.strerror}. {remedy}") from error


def _decode_offered(path: Path, content: bytes) -> Bundle:
    bundle = _decode(path, content)
    try:
        read_broker_url(bundle.broker_url)
    except ValueError as error:
        raise EnrolmentError(f"{path}: {error}") from error
    return bundle


def _decode(path: Path, content: bytes) -> Bundle:
    try:
        return decode_bundle(content)
    except WireError as error:
        raise EnrolmentError(
            f"{path} is no bundle: {error}. Copy it again as p2k16-console controllers enrol wrote "
            "it, or enrol again with --replace"
        ) from error


def _keep(data_dir: Path, content: bytes) -> None:
    """Written whole or not at all, and durable before the original is deleted."""
    draft = data_dir / f"{KEPT_NAME}.new"
    try:
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            give_to_owner(file.fileno(), data_dir)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(data_dir / KEPT_NAME)
        _sync_folder(data_dir)
    except OSError as error:
        raise EnrolmentError(
            f"{data_dir} can't be written: {error.strerror}. Free space there, and let this user "
            "write to it"
        ) from error


def _delete(path: Path) -> str | None:
    try:
        path.unlink()
    except OSError as error:
        return f"{path} was taken over but can't be deleted ({error.strerror}): delete it yourself"
    with suppress(OSError):
        _sync_folder(path.parent)
    return None


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
