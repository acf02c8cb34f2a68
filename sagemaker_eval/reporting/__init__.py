"""Floor 7: what people and machines read of a run: the console, the progress line, the documents."""
