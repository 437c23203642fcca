"""Why a tap was answered as it was, and who can open what and why, or why not."""
