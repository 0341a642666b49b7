"""Archives: many recordings, cut into segments, as tasks of a Ray cluster, and their results joined into runs."""
