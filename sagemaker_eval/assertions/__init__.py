"""Floor 5: what judges a `Response`: one function per kind, in families."""
