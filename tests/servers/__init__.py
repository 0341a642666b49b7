"""Real servers that tests start: PostgreSQL with pgvector, NATS with JetStream, object storage."""
