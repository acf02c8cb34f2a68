"""Floor 8: the commands; the only place that picks implementations and knows exit codes."""
