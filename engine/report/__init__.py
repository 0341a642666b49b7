"""The page of a run, and in ``pdf`` the document that is made of it."""
