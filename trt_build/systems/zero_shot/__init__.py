"""Super-resolution learnt from the picture itself."""
