"""Measures what resemblance strangers reach in the whole product: the limits above which a face gets a name."""
