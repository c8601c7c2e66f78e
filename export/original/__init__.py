"""The checkpoints of the system that we follow, to the files that the runtime reads."""
