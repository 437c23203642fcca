"""What is wrong with a text that has to fit on one line: a name, a title, a description. Pure."""

from console.words import Text


def line_mistake(text: str, *, characters_max: int, is_needed: bool = True) -> Text | None:
    """The words for beside the field; `text` is trimmed already. None: nothing is wrong."""
    if not text:
        return Text("Type something here.") if is_needed else None
    if len(text) > characters_max:
        return Text("At most {n} characters.", n=characters_max)
    return None if text.isprintable() else Text("One line, and only characters that can be seen.")
