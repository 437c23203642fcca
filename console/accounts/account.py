"""What a new account must be like. Pure: what exists already is told to it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

USERNAME_CHARACTERS_MAX = 50
EMAIL_CHARACTERS_MAX = 120
NAME_CHARACTERS_MAX = 100
PASSWORD_CHARACTERS_MIN = 8
PASSWORD_CHARACTERS_MAX = 1_000

_USERNAME = re.compile(r"[A-Za-z0-9@._+-]+")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


@dataclass(frozen=True, slots=True)
class Taken:
    """What others have already, compared without regard to case."""

    username: bool
    email: bool


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account as it is asked for."""

    username: str
    email: str
    name: str
    password: str


def mistakes(new: NewAccount, taken: Taken) -> Sequence[str]:
    """Everything that keeps `new` from being an account; empty when nothing does."""
    return [
        *_username_mistakes(new.username, is_taken=taken.username),
        *_email_mistakes(new.email, is_taken=taken.email),
        *_name_mistakes(new.name),
        *password_mistakes(new.password),
    ]


def password_mistakes(password: str) -> Sequence[str]:
    """What is wrong with a new password."""
    if len(password) < PASSWORD_CHARACTERS_MIN:
        return [f"A password has at least {PASSWORD_CHARACTERS_MIN} characters"]
    if len(password) > PASSWORD_CHARACTERS_MAX:
        return [f"A password has at most {PASSWORD_CHARACTERS_MAX} characters"]
    if "\0" in password or any(0xD800 <= ord(character) <= 0xDFFF for character in password):
        return ["A password is UTF-8 text without NUL characters"]
    return []


def _username_mistakes(username: str, *, is_taken: bool) -> Sequence[str]:
    if is_taken:
        return ["Username is taken"]
    if " " in username:
        return ["Username cannot contain spaces"]
    if not _USERNAME.fullmatch(username):
        return ["Username can only contain a-z, 0-9, @, ., _, + and -."]
    if len(username) > USERNAME_CHARACTERS_MAX:
        return [f"Username can have at most {USERNAME_CHARACTERS_MAX} characters"]
    return []


def _email_mistakes(email: str, *, is_taken: bool) -> Sequence[str]:
    if is_taken:
        return ["Email is already registered"]
    if not _EMAIL.fullmatch(email) or not email.isprintable():
        return ["Email must look like name@example.org"]
    if len(email) > EMAIL_CHARACTERS_MAX:
        return [f"Email can have at most {EMAIL_CHARACTERS_MAX} characters"]
    return []


def _name_mistakes(name: str) -> Sequence[str]:
    if not name.strip():
        return ["Name cannot be empty."]
    if len(name) > NAME_CHARACTERS_MAX or not name.isprintable():
        return [f"Name can have at most {NAME_CHARACTERS_MAX} characters, all printable"]
    return []
