"""First cards: a member enrols one by herself, at a door that an admin marked for it."""
