"""The input formats, one module a format."""
