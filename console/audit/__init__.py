"""Who changed what: the rows that a trigger writes about each change, found and told in words."""
