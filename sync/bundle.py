"""The file that makes a Raspberry Pi a controller ⇄ bytes. Whoever has it is that controller.

Source: sync/README.md, "Enrolment".
"""

from dataclasses import dataclass, field

from sync.errors import TooLarge
from sync.ids import NAME, ControllerId
from sync.strict_json import Fields, dump

BUNDLE_BYTES_MAX = 16 * 1024


@dataclass(frozen=True, slots=True)
class Bundle:
    """All keys are 32 bytes, the salt 16. Secrets never show in a repr.

    `private_key` signs what goes up (Ed25519 seed); `entry_key` names cards and members;
    `broker_url` is `mqtt://HOST:PORT` or `mqtts://HOST:PORT`; `prefix` starts every topic.
    """

    controller: ControllerId
    private_key: bytes = field(repr=False)
    entry_key: bytes = field(repr=False)
    site_salt: bytes = field(repr=False)
    root_public_key: bytes
    sealing_public_key: bytes
    broker_url: str
    broker_username: str
    broker_password: str = field(repr=False)
    prefix: str


def encode_bundle(bundle: Bundle) -> bytes:
    """The content of the file."""
    return dump(
        {
            "version": 1,
            "controller": bundle.controller,
            "private_key": bundle.private_key.hex(),
            "entry_key": bundle.entry_key.hex(),
            "site_salt": bundle.site_salt.hex(),
            "root_public_key": bundle.root_public_key.hex(),
            "sealing_public_key": bundle.sealing_public_key.hex(),
            "broker": {
                "url": bundle.broker_url,
                "username": bundle.broker_username,
                "password": bundle.broker_password,
                "prefix": bundle.prefix,
            },
        }
    )


def decode_bundle(data: bytes) -> Bundle:
    """Raises: TooLarge, Malformed, which names the key that is wrong."""
    if len(data) > BUNDLE_BYTES_MAX:
        raise TooLarge(f"a bundle of {len(data)} bytes is over {BUNDLE_BYTES_MAX}")
    fields = Fields.parse(data, "bundle")
    fields.integer("version", 1, 1)
    broker = fields.fields("broker")
    bundle = Bundle(
        controller=ControllerId(fields.text("controller", NAME.pattern)),
        private_key=fields.data("private_key", 32),
        entry_key=fields.data("entry_key", 32),
        site_salt=fields.data("site_salt", 16),
        root_public_key=fields.data("root_public_key", 32),
        sealing_public_key=fields.data("sealing_public_key", 32),
        broker_url=broker.text("url", r"mqtts?://[A-Za-z0-9.:\[\]_-]{1,260}"),
        broker_username=broker.text("username", r"[!-~]{1,100}"),
        broker_password=broker.text("password", r"[!-~]{1,100}"),
        prefix=broker.text("prefix", r"[A-Za-z0-9_-]{1,64}"),
    )
    broker.close()
    fields.close()
    return bundle
