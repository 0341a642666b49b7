"""A short clip with known ground truth, rendered from photographs that come inside dependencies."""
