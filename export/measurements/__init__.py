"""Measurements of a recording as a cardiologist makes them."""
