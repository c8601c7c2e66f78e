"""Converts the checkpoints of the system that we follow to a models folder."""
