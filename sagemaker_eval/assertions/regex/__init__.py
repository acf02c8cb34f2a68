"""JavaScript's regular expressions: parsed as such, rewritten for the `regex` package. `patterns.py` is the way in."""
