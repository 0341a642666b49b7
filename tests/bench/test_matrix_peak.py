import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

from tests.bench.matrix_peak import matrix_peak, operations  # noqa: E402


def test_the_operations_of_a_network_are_those_of_its_convolutions(tmp_path):
    weights = np.zeros((6, 3, 3, 5), np.float32)
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 2, 1, 2]), helper.make_node("Relu", ["y"], ["z"])],
        "one",
        [helper.make_tensor_value_info("x", kind, ("n", 3, "h", "w_"))],
        [helper.make_tensor_value_info("z", kind, ("n", 6, "h", "w_"))],
        [onnx.numpy_helper.from_array(weights, "w")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), tmp_path / "one.onnx")
    assert operations(tmp_path / "one.onnx", 20) == 2 * 6 * 20 * 20 * 3 * 3 * 5


@pytest.mark.parametrize("kind", ["float32", "int8"])
def test_a_core_multiplies_matrices(kind):
    assert matrix_peak(kind, seconds=0.01) > 1e6
