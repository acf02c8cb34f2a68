"""Templates: Jinja2's engine under nunjucks' rules. `templates.py` is what others call."""
