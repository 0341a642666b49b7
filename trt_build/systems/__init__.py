"""The systems that are trained: each has its batches, its training and its export."""
