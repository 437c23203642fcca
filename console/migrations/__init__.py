"""The numbered SQL files that make our schema, and what is needed to read and record them."""
