"""The output directory of a run: written whole, gone on with after a kill, read back, and the chain that vouches for it."""
