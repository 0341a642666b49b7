"""The one way to object storage, in which an archive may have its recordings and its results."""
