"""HTTP: the verbs, the console, metrics and health, in a process of its own that is a client like any other."""
