"""Tools: who may use one, and who has it checked out."""
