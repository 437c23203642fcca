"""Cards: whose they are, which are lost, and which nobody has yet."""
