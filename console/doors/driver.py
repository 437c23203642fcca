"""What moves a door: a controller of ours, or what the old web app drove. Pure."""

from enum import StrEnum


class Driver(StrEnum):
    """The kind of a door, as `doors add --driver` and access.door have it."""

    CONTROLLER = "controller"
    """Decides by itself, and tells what it did."""
    DLOCK = "dlock"
    """The old door controller, asked by HTTP: `[legacy] dlock_url`."""
    MQTT = "mqtt"
    """Hears a topic of the door's own, after `[mqtt] legacy_door_prefix`."""
