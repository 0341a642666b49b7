"""What a person does with finished runs: look for a face in them, compare two, and say who the strangers are."""
