"""The output directory of a run: how it is written, resumed after a kill and read back, and the hash chain that vouches for
it."""
