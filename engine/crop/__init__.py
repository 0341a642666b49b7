"""Which faces of a track are worth more, how good each is, and their pixels, cut out of the frame."""
