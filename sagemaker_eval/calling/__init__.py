"""Floor 4: wrappers of one `invoke`: cache, first call alone, retries, pace."""
