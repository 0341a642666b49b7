"""See ``__main__``, whose name says that the processes that a run starts need not load it."""
