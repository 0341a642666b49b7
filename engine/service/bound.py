"""``python -m engine.service.bound MODULE ARGUMENTS``: runs a program that ends with the process that started it."""

from __future__ import annotations

import runpy
import sys

from engine.runtime.bond import die_with_parent

if __name__ == "__main__":
    die_with_parent()
    module, sys.argv = sys.argv[1], sys.argv[1:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
