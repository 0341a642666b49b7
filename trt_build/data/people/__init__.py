"""Recordings of people who are known and who are not, for the limits of names."""
