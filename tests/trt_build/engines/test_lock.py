"""Of several that build the same engine one does; one that was killed is in nobody's way."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.patience import PATIENCE_SECONDS
from tests.trt_build.engines.orders import order_of
from trt_build.engines import build as building
from trt_build.engines.build import Workshop, build
from trt_build.engines.lock import alone

pytestmark = pytest.mark.usefixtures("quick_gate")


def test_of_two_that_build_at_once_one_waits_and_finds_it(model, shop):
    path = shop.path_of(order_of(model))
    path.parent.mkdir()
    waits, found = threading.Event(), []
    patient = Workshop(shop.folder, lambda sentence: waits.set(), shop.done, count=2)
    second = threading.Thread(target=lambda: found.append(build(order_of(model), patient)))
    with alone(path, lambda: pytest.fail("nobody else holds it")):
        second.start()
        assert waits.wait(PATIENCE_SECONDS)
        made = building._make(order_of(model), building.key_of(order_of(model)), path, shop)
    second.join(PATIENCE_SECONDS)
    assert [engine.is_new for engine in found] == [False]
    assert found[0].manifest == made


def test_the_lock_of_a_process_that_died_is_free(tmp_path):
    code = (
        "import os, sys; from pathlib import Path; from trt_build.engines.lock import alone\n"
        "with alone(Path(sys.argv[1]), lambda: None): os._exit(9)"
    )
    path = tmp_path / "one.engine"
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False, cwd=Path(__file__).parents[3])
    assert done.returncode == 9
    with alone(path, lambda: pytest.fail("it is still held")):
        assert path.with_name(".one.engine.lock").exists()


def test_what_a_killed_build_left_is_cleared_by_the_next(model, shop):
    order = order_of(model)
    code = (
        "import os, sys; from pathlib import Path; from trt_build.engines import build as building\n"
        "from tests.trt_build.engines.orders import order_of\n"
        "building.compare = lambda *arguments: os._exit(9)\n"
        "shop = building.Workshop(Path(sys.argv[2]), print, lambda *work: None)\n"
        "building.build(order_of(Path(sys.argv[1])), shop)"
    )
    command = [sys.executable, "-c", code, str(model), str(shop.folder)]
    assert subprocess.run(command, check=False, cwd=Path(__file__).parents[3]).returncode == 9
    left = [path.name for path in shop.folder.iterdir() if not path.name.endswith(".lock")]
    assert left == [f".unfinished.{order.file}"]
    build(order, shop)
    left = sorted(path.name for path in shop.folder.iterdir() if not path.name.endswith(".lock"))
    assert left == [order.file, f"{order.file}.json"]
