"""What `p2k16-edge check` has to say about one thing. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """`remedy` None: it is well. `is_warning`: it works, but somebody should look."""

    what: str
    text: str
    remedy: str | None = None
    is_warning: bool = False

    @property
    def is_failure(self) -> bool:
        """Whether a controller can't do its work for it."""
        return self.remedy is not None and not self.is_warning

    def document(self) -> dict[str, object]:
        """The same for programs."""
        return {
            "what": self.what,
            "ok": not self.is_failure,
            "verdict": self._verdict,
            "text": self.text,
            "remedy": self.remedy,
        }

    def __str__(self) -> str:
        remedy = "" if self.remedy is None else f" - {self.remedy}"
        return f"{self._verdict:<7} {self.what:<14} {self.text}{remedy}"

    @property
    def _verdict(self) -> str:
        if self.remedy is None:
            return "ok"
        return "warning" if self.is_warning else "failed"
