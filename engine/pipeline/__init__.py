"""A run from its configuration to its result: which workers there should be, what to do so that there are, and what they say.

camera, recording xN ──▶ perceive (detect, track, crop) ──▶ enhance xN (super-resolve, verify) ──▶ publish
"""
