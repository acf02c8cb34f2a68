"""Floor 3: one file per model type: the request body from a prompt, the text from an answer."""
