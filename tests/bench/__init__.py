"""``make bench``: what each stage costs, what the whole reaches, and what the publisher adds to bare ZeroMQ.

Ratios only count side by side in one run: absolute figures move with the machine.
"""
