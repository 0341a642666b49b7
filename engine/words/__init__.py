"""How things are said to people: numbers, times, how much a likeness is worth, and texts that come from elsewhere."""
