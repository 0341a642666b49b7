"""Identifies faces: embeds them, compares them with a gallery, and decides by rules whose error rates were measured."""
