"""Says who: embeds faces, compares them with a gallery, and decides by rules whose error rates were measured."""
