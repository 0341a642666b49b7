"""A gallery in a PostgreSQL database, for several machines, and what each of them keeps of it."""
