"""The one way to a PostgreSQL server, for a gallery and for a fleet."""
