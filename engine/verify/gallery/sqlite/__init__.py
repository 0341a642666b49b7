"""The gallery as a SQLite file: the rules in ``engine.verify.gallery`` need nothing of it but ``GalleryTables``."""
