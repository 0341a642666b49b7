"""Orders of engines, and what befalls them."""

from engine.contracts.manifest import read_manifest
from trt_build.engines.profiles import profile_for
from trt_build.engines.targets import Order, target_of

PASSED = {"psnr_lost_db": 0.0, "cosine_moved": 0.0}


def order_of(model, target="onnxruntime", precision="fp32", capability="", sizes=None, batch=None):
    described = read_manifest(model)
    spec = target_of(target, precision, described.kind)
    return Order(model, described, spec, precision, profile_for(described, sizes, batch), capability)


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
