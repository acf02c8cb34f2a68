"""Floor 2: from files to a `Suite`, or to a list of problems with their places."""
