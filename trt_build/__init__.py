"""Offline half of facestream: data in, a model file and its manifest out.

This package may import torch; the live package `engine` never imports this one.
"""
