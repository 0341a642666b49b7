"""How good one picture out of several frames is, beside what needs no training for it."""
