"""What is trained: each system has its batches, its training and its export."""
