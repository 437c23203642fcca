"""Companies whose employees have access while the company is active."""
