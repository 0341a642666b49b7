"""What strangers reach through the whole product: the limits from which a face gets a name."""
