"""Recordings of finished runs, found again, cut, and written as videos."""
