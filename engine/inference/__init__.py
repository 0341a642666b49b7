"""All sessions of one device: a core that forms batches of what several workers ask, a process round it where the device is a
GPU, and the workers' side of it, which is a session like any other.
"""
