"""Keys: who may read what the engine sends, in files that both sides can check."""
