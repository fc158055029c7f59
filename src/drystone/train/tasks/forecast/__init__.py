"""Forecast: what one field will be at the next steps, at every step."""
