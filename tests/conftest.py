"""For all tests: an environment in which the result does not depend on the user or the processor."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.runtime.precision import ignore_fpmath_mode

ignore_fpmath_mode()  # read when torch is imported, which some test files do before anything of ours


@pytest.fixture(scope="session", autouse=True)
def _nobodys_gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the user's own gallery and models out of the tests, and the tests out of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield
