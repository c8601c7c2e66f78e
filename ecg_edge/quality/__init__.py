"""Signal quality: what is measured, which rules it breaks, what is said of it."""
