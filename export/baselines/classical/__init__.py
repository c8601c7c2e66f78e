"""Measurements of a recording as a cardiologist makes them, and classifiers that answer from them."""
