"""The exhibit: a PDF with one page a track, for a reader who has never seen the tool (``facestream report DIR --pdf``)."""
