"""Super-resolution learned from the picture itself."""
