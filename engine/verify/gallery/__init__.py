"""The people who may be recognised: how they are stored, what can be done with them, and how a face is searched
for among them.
"""
