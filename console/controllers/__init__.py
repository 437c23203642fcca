"""Controllers: who they are to us, and what they say of themselves."""
