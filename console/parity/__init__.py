"""Whether the old rule and ours say the same of everybody and every door and tool."""
