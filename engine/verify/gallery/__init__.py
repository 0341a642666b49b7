"""Who may be recognised: what keeps people, what may be done with them, and how a face is looked for among them."""
