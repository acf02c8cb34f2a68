"""Floor 1: what is done to text alone: templates, extraction from JSON, and the user's own scripts."""
