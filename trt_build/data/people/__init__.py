"""Recordings of known people and strangers, from which the limits of names are measured."""
