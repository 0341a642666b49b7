"""Pictures, faces and footage: read, degraded, composed and cached."""
