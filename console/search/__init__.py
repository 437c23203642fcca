"""One search over everything that a visitor may see."""
