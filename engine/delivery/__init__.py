"""Results in, the socket and the output directory out, each stream's events at the right moment: the core of publish.

It has no process and no channel: whoever runs it gives it what the enhance workers say.
"""
