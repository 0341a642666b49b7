"""Opens and runs models with whichever library; knows nothing of processes and pipes."""
