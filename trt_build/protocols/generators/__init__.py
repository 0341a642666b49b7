"""Generators against interpolation and each other: small faces, real footage, photographs."""
