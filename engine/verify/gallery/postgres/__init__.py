"""A gallery in a PostgreSQL database, shared by several machines, and each machine's copy of it."""
