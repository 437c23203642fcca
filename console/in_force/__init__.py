"""What is in force, and where each thing is changed. Nothing is changed here."""
