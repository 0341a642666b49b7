"""What a run reads: which recordings and cameras, what their streams are called, and all their settings."""
