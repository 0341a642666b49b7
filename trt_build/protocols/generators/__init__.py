"""Compares generators with interpolation and each other: small faces, real footage, photographs."""
