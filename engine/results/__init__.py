"""What is made of a finished run: clips and videos of its recordings, tables, its messages once more."""
