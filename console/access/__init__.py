"""What somebody can open and use, and why or why not: the same words on every page."""
