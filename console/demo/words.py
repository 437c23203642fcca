"""What the demo says in the terminal."""

from pathlib import Path

from console.demo.makerspace import LOGINS, PASSWORD

TRIES = (
    "Tap a card on the demo's page, and see it on the first page of the console.",
    "As anne, remove Ingrid from the circle “door”, and tap her card again.",
    "Cut a network, tap, repair it: nothing was lost.",
    "Force a door, and see the alarm.",
    "Start the saw with Åse's card, and press its emergency stop.",
)

PUBLIC = (
    "Whoever reaches this machine over the network can use all of it, and passwords cross the",
    "network in clear. Nothing in it is worth anything.",
    "",
)


def invitation(address: str, folder: Path, *, is_public: bool) -> str:
    """Where everything is, who can log in, and some things to try.

    `is_public`: other machines can reach it.
    """
    width = max(map(len, LOGINS))
    logins = [f"  {username:<{width}}  {what}" for username, what in LOGINS.items()]
    tries = [f"  {number}. {words}" for number, words in enumerate(TRIES, start=1)]
    return "\n".join(
        [
            "",
            f"The console            {address}",
            f"The virtual building   {address}demo",
            "",
            f"Log in (password: {PASSWORD})",
            *logins,
            "",
            "Five things to try",
            *tries,
            "",
            *(PUBLIC if is_public else ()),
            f"Logs are in {folder}. Ctrl-C stops everything and leaves nothing behind.",
        ]
    )


def farewell() -> str:
    """After the first Ctrl-C."""
    return "\nStopping, some seconds; Ctrl-C again ends it at once."
