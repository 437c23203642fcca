"""Tools: what there are, who has one checked out, and telling the tool so."""
