"""Retention: what is kept of people who are erased, sealed, for one purpose, until its day; and what goes of itself."""
