"""What is made of a finished run: tables, what is drawn into its recordings, its messages once more."""
