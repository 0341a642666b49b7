"""Measures one picture made of several frames against methods without training."""
