"""Pages about people: the list, one person, oneself. They put together what other features know."""
