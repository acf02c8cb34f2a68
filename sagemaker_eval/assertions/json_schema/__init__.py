"""JSON and JSON Schema as JavaScript and Ajv have them. `schemas.py` and `json_text.py` are the ways in."""
