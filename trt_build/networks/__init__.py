"""Torch modules, their options and their weights; nothing about data or training."""
