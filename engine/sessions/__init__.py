"""What opens a model and runs it, by whichever library; it knows no process and no pipe."""
