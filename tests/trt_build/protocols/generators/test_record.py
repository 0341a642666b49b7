import msgspec
import pytest

from engine.contracts.manifest import read_manifest
from engine.errors import ModelError
from tests.trt_build.protocols.generators.networks import repeating
from tests.trt_build.protocols.generators.runs import results
from trt_build.protocols.generators.methods import Method, open_model
from trt_build.protocols.generators.record import figures_of, record


def test_figures_go_into_the_manifest_in_place_of_older_ones(tmp_path):
    path = repeating(tmp_path, "srcnn_x4", 4)
    record([open_model(str(path))], results())
    found = read_manifest(path.with_suffix(".json")).figures
    assert found["psnr_clean_network_db"] == 32.5
    assert found["psnr_clean_bicubic_db"] == 30
    assert found["psnr_gain_clean_db"] == 2.5
    assert found["tar_sharp_1e-2_32px_fused"] == 0.55
    assert found["tar_sharp_1e-2_h264_32px_network"] == 0.5
    assert found["other"] == 4
    assert found["general_old_network_psnr_db"] == 3
    assert "tar_sharp" not in found


def test_only_figures_of_its_scale_are_its_own(tmp_path):
    model = open_model(str(repeating(tmp_path, "srcnn_x4", 2)))
    assert figures_of(model, results()) == {}


def test_a_checkpoint_has_no_manifest(tmp_path):
    with pytest.raises(ModelError, match="no manifest"):
        record([Method("net", 4, "", lambda low: low, "ab")], results())


@pytest.mark.parametrize(("protocol", "place"), [("general", "general_clean_network"), ("footage", "footage_network")])
def test_protocols_do_not_touch_each_others_figures(tmp_path, protocol, place):
    path = repeating(tmp_path, "srcnn_x4", 4)
    model = open_model(str(path))
    record([model], results())
    faces = read_manifest(path.with_suffix(".json")).figures
    one = msgspec.structs.replace(results(), protocol=protocol, rows=results().rows[:3])
    record([model], one)
    found = read_manifest(path.with_suffix(".json")).figures
    assert found[f"{place}_psnr_db"] == 32.5
    assert found[f"{place}_ssim"] == 0.9
    kept = {key: value for key, value in faces.items() if not key.startswith(f"{protocol}_")}
    assert kept.items() <= found.items()
