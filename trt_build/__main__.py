"""`python -m trt_build`: the same as the command `trt-build`."""

from __future__ import annotations

import sys

from trt_build.cli import main

if __name__ == "__main__":
    sys.exit(main())
