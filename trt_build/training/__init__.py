"""Training of any network: loop, state of a run, checkpoints, learning rate."""
