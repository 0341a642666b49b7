"""Makes faces larger: one at a time by a generator, or one picture out of several frames of a track."""
