"""The user's own JavaScript, run by an embedded engine. `script.py` is what others call."""
