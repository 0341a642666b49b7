"""Training: recipe, faces, degradations, loop and checkpoints."""
