"""Models as engines: cast or quantised, built for a target, compared with what they were made of, and kept."""
