"""Generators: one `torch.nn.Module` a file, listed in `catalog.py`."""
