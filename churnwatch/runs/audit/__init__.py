"""Audits: what is said of the past and of the lists, proved on the user's own data."""
