"""Model files: their contract, their sessions, their windows."""
