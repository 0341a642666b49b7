"""Pictures of faces of all sizes with their labels, for whoever looks for faces."""
