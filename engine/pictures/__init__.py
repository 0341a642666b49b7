"""What any part does with the pixels of a picture: colour, encoding, and what is left of a face that is hidden."""
