"""A look at a camera before it is added: what it sends, and whether its faces are large enough."""
