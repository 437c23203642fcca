"""Who may open what: facts of the database → rights → signed snapshots at the controllers."""
