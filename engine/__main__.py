"""``python -m engine`` is the command ``facestream``."""

from engine.cli import main

main()
