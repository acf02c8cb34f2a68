"""Floor 5: what turns a prompt into a `Response`."""
