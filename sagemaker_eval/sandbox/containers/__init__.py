"""What answers behind an endpoint: one function per kind of container, in the literal shape that each one gives."""
