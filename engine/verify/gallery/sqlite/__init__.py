"""The gallery as a SQLite file: the rules in ``engine.verify.gallery`` use only its ``GalleryTables``."""
