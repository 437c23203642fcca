"""What a new account must be like. Pure: what exists already is told to it."""

import re
from collections.abc import Mapping, Sequence

from msgspec import Struct

from console.web.versions import version_of
from console.words import Text

USERNAME_CHARACTERS_MAX = 50
EMAIL_CHARACTERS_MAX = 120
NAME_CHARACTERS_MAX = 100
PHONE_CHARACTERS_MAX = 50
PHONE_DIGITS_MIN = 5
PASSWORD_CHARACTERS_MIN = 8
PASSWORD_CHARACTERS_MAX = 1_000
"""Of what is tried at log-in."""
PASSWORD_BYTES_MAX = 72
"""bcrypt looks at no more. Older passwords may have more; the rest of them counts for nothing."""

USERNAME_TAKEN = Text("Username is taken")
EMAIL_TAKEN = Text("Email is already registered")

_USERNAME = re.compile(r"[A-Za-z0-9@._+-]+")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


class Taken(Struct, frozen=True):
    """What others have already, compared without regard to case."""

    username: bool
    email: bool


class NewAccount(Struct, frozen=True):
    """An account as it is asked for."""

    username: str
    email: str
    name: str
    password: str


class Registration(Struct, frozen=True):
    """An account as somebody asks for it herself. `name` None: she has left it out."""

    username: str
    email: str
    name: str | None
    phone: str | None


class Profile(Struct, frozen=True):
    """What somebody says of herself. `name`, `phone`: empty for none."""

    username: str
    name: str
    email: str
    phone: str

    @property
    def version(self) -> str:
        """Of what a form shows."""
        return version_of(self.name, self.email, self.phone)


def mistakes(new: NewAccount, taken: Taken) -> Sequence[str]:
    """Everything that keeps `new` from being an account; empty when nothing does.

    For whoever runs the server: the password may be short, as it may be in the old web app. Source:
    the contract of its API, §5, set-password.
    """
    return [
        *_username_mistakes(new.username, is_taken=taken.username),
        *_email_mistakes(new.email, is_taken=taken.email),
        *_name_mistakes(new.name),
        *password_text_mistakes(new.password),
    ]


def registration_mistake(new: Registration, taken: Taken) -> str | None:
    """The first thing that keeps `new` from being an account; None when nothing does.

    Order and words are those of the old web app, which takes any e-mail address. Source: the
    contract of its API, §5.
    """
    if taken.username or taken.email:
        return USERNAME_TAKEN if taken.username else EMAIL_TAKEN
    found = [
        *_name_mistakes(new.name or ""),
        *_username_mistakes(new.username, is_taken=False),
        *_email_length_mistakes(new.email),
        *phone_mistakes(new.phone or ""),
    ]
    return found[0] if found else None


def joining_mistakes(new: Registration, password: str) -> Mapping[str, str]:
    """The first mistake of each field of the page `/join`: those of `adding_mistakes`, and more."""
    wrong = password_mistakes(password)
    return {**adding_mistakes(new), **({"password": wrong[0]} if wrong else {})}


def adding_mistakes(new: Registration) -> Mapping[str, str]:
    """The first mistake of each field of the page `/members/new`; empty when there is none.

    Whether somebody has the names already is not looked at.
    """
    found = {
        "name": _name_mistakes(new.name or ""),
        "username": _chosen_username_mistakes(new.username),
        "email": _email_mistakes(new.email, is_taken=False),
        "phone": _dialled_phone_mistakes(new.phone or ""),
    }
    return {field: mistakes[0] for field, mistakes in found.items() if mistakes}


def profile_mistakes(new: Profile, known: Profile) -> Mapping[str, str]:
    """The first mistake of each field that is changed.

    What is there already may stay: the old web app took any address, and any phone.
    """
    found: dict[str, Sequence[str]] = {}
    if new.name != known.name.strip():
        found["name"] = _name_mistakes(new.name)
    if new.email != known.email.strip():
        found["email"] = _email_mistakes(new.email, is_taken=False)
    if new.phone != known.phone.strip():
        found["phone"] = _dialled_phone_mistakes(new.phone)
    return {field: mistakes[0] for field, mistakes in found.items() if mistakes}


def phone_mistakes(phone: str) -> Sequence[str]:
    """What is wrong with a phone number, which may be any short text, also an empty one."""
    if len(phone) > PHONE_CHARACTERS_MAX or not phone.isprintable():
        return [
            Text("Phone can have at most {n} characters, all printable", n=PHONE_CHARACTERS_MAX)
        ]
    return []


def password_mistakes(password: str) -> Sequence[str]:
    """What is wrong with a new password that somebody chooses on a page."""
    if is_short(password):
        return [Text("A password has at least {n} characters", n=PASSWORD_CHARACTERS_MIN)]
    return password_text_mistakes(password)


def is_short(password: str) -> bool:
    """Whether a password is too easily guessed to be chosen on a page."""
    return len(password) < PASSWORD_CHARACTERS_MIN


def password_text_mistakes(password: str) -> Sequence[str]:
    """What can be no password at all, whoever chose it."""
    if not password:
        return [Text("A password can't be empty")]
    if len(password.encode("utf-8", "surrogatepass")) > PASSWORD_BYTES_MAX:
        return [
            Text(
                "A password has at most {n} letters; letters such as å count as two, emoji as four",
                n=PASSWORD_BYTES_MAX,
            )
        ]
    if "\0" in password or any(0xD800 <= ord(character) <= 0xDFFF for character in password):
        return [Text("A password is UTF-8 text without NUL characters")]
    return []


def _dialled_phone_mistakes(phone: str) -> Sequence[str]:
    """On pages somebody can be called there; a note beside the number is fine."""
    found = phone_mistakes(phone)
    if found or not phone or sum(map(str.isdecimal, phone)) >= PHONE_DIGITS_MIN:
        return found
    return [Text("Phone has at least {n} digits, or is left empty", n=PHONE_DIGITS_MIN)]


def _chosen_username_mistakes(username: str) -> Sequence[str]:
    """Names such as _parity look like the programs' own, and none as +47 like anybody's."""
    found = _username_mistakes(username, is_taken=False)
    if found or username[0].isalnum():
        return found
    return [Text("Username begins with a letter or a digit")]


def _username_mistakes(username: str, *, is_taken: bool) -> Sequence[str]:
    if is_taken:
        return [USERNAME_TAKEN]
    if " " in username:
        return [Text("Username cannot contain spaces")]
    if not _USERNAME.fullmatch(username):
        return [Text("Username can only contain a-z, 0-9, @, ., _, + and -.")]
    if len(username) > USERNAME_CHARACTERS_MAX:
        return [Text("Username can have at most {n} characters", n=USERNAME_CHARACTERS_MAX)]
    return []


def _email_mistakes(email: str, *, is_taken: bool) -> Sequence[str]:
    if is_taken:
        return [EMAIL_TAKEN]
    if not _EMAIL.fullmatch(email) or not email.isprintable():
        return [Text("Email must look like name@example.org")]
    return _email_length_mistakes(email)


def _email_length_mistakes(email: str) -> Sequence[str]:
    if len(email) > EMAIL_CHARACTERS_MAX or not email.isprintable():
        return [
            Text("Email can have at most {n} characters, all printable", n=EMAIL_CHARACTERS_MAX)
        ]
    return []


def _name_mistakes(name: str) -> Sequence[str]:
    if not name.strip():
        return [Text("Name cannot be empty.")]
    if len(name) > NAME_CHARACTERS_MAX or not name.isprintable():
        return [Text("Name can have at most {n} characters, all printable", n=NAME_CHARACTERS_MAX)]
    return []
