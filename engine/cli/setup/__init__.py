"""Before the first run: ``facestream doctor``, ``check``, ``probe``, ``models``, ``licences`` and ``sample``."""
