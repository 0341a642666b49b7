"""Which of ONNX Runtime's execution providers computes a model: its own for the CPU or CUDA, or TensorRT-RTX.

The last comes in a package from NVIDIA that registers itself with any ONNX Runtime. CUDA needs another build of ONNX Runtime
under the same module name. Neither has been run on a GPU yet.
"""

from __future__ import annotations

import ctypes
import importlib
import io
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from engine.errors import ConfigError, MissingRuntimeError
from engine.models.onnx_file import read_model
from engine.sessions.cuda_api import NO_DRIVER
from engine.words.numbers import count

ON_CUDA: Final = "onnxruntime-cuda"
"""The runtime of engines for CUDA; a model as it is uses ``onnxruntime`` there too."""
ON_RTX: Final = "onnxruntime-tensorrt-rtx"
"""The runtime of engines that ONNX Runtime runs on TensorRT-RTX."""
SETTINGS = "nv_"
"""Prefix of TensorRT-RTX's settings, including those stored in an engine."""
_CUDA = "CUDAExecutionProvider"
_FATAL_ONLY = 4
_RTX_MODULE = "onnxruntime_ep_nv_tensorrt_rtx"
_GET_CUDA = "run `pip uninstall --yes onnxruntime` and `pip install 'onnxruntime-gpu[cuda,cudnn]'`, since both are one module"


@dataclass(frozen=True)
class Provider:
    """An execution provider and its settings."""

    name: str
    """Such as ``CUDAExecutionProvider``."""
    settings: Mapping[str, str]
    gpu: Any = None
    """ONNX Runtime's handle of the device; None: a built-in provider, which finds its device by the settings."""

    def open(self, model: bytes | Path, options: Any, held: Mapping[str, str]) -> Any:
        """Return ONNX Runtime's session of a model.

        Args:
            model: its content, or its file.
            options: ONNX Runtime's session options; modified.
            held: further settings.

        Raises:
            Exception: as ONNX Runtime raises it.
        """
        import onnxruntime

        settings = {**self.settings, **held}
        chosen = {"providers": [(self.name, settings)]} if self.gpu is None else {}
        if self.gpu is not None:
            options.add_provider_for_devices([self.gpu], settings)
        given = model if isinstance(model, bytes) else str(model)
        # By default it prints what failed and falls back to the CPU.
        return onnxruntime.InferenceSession(given, options, **chosen, enable_fallback=0)


def provider_for(runtime: str, device: str) -> Provider:
    """Return the provider for a device.

    Args:
        runtime: ``onnxruntime``, ``ON_CUDA`` or ``ON_RTX``.
        device: ``cpu``, or ``cuda:0`` for the first GPU.

    Raises:
        ConfigError: there is no such device, or the runtime does not support it.
        MissingRuntimeError: ONNX Runtime or what it needs for the device is not installed, or it finds no GPU.
    """
    onnxruntime = _onnxruntime()
    kind, _, number = device.partition(":")
    if device == "cpu" and runtime not in (ON_CUDA, ON_RTX):
        return Provider("CPUExecutionProvider", {})
    if device == "cpu":
        raise ConfigError(f"{runtime} computes on a GPU: use the device cuda:0, or another runtime")
    if kind != "cuda" or not number.isdigit():
        raise ConfigError(f"ONNX Runtime has no device {device!r}: use cpu, or cuda:0 for the first GPU")
    onnxruntime.set_default_logger_severity(_FATAL_ONLY)  # otherwise what a provider lacks is also written to stderr
    return _rtx(onnxruntime, int(number)) if runtime == ON_RTX else _cuda(onnxruntime, number)


def held_settings(model: bytes | Path, name: str) -> dict[str, str]:
    """Return the TensorRT-RTX settings stored in an ONNX model, including its sizes.

    Args:
        model: its content, or its file.
        name: its name in messages.

    Raises:
        ModelError: it cannot be read.
    """
    held = read_model(model, name).metadata_props
    return {one.key: one.value for one in held if one.key.startswith(SETTINGS)}


def cuda_is_missing(model: str, device: str, used: str) -> MissingRuntimeError:
    """Return the error to raise if ONNX Runtime has CUDA but uses another provider."""
    return MissingRuntimeError(
        f"ONNX Runtime cannot use {device} here and would compute {model} by {used}: it finds no driver, or no CUDA and cuDNN "
        "of its versions: see what nvidia-smi says, and `pip install 'onnxruntime-gpu[cuda,cudnn]'`"
    )


def _onnxruntime() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingRuntimeError(f"ONNX Runtime is not installed: pip install onnxruntime ({error})") from error
    return onnxruntime


def _cuda(onnxruntime: Any, number: str) -> Provider:
    if _CUDA not in onnxruntime.get_available_providers():
        raise MissingRuntimeError(f"the installed ONNX Runtime has no CUDA and cannot use cuda:{number}: {_GET_CUDA}")
    if hasattr(onnxruntime, "preload_dlls"):  # pip installs the libraries where no linker looks
        with redirect_stdout(io.StringIO()):
            onnxruntime.preload_dlls()
    return Provider(_CUDA, {"device_id": number, "use_tf32": "0"})  # TF32 is not float32


def _rtx(onnxruntime: Any, number: int) -> Provider:
    name = _registered()
    gpus = [one for one in onnxruntime.get_ep_devices() if one.ep_name == name]
    if not gpus:
        raise MissingRuntimeError(
            "ONNX Runtime's provider of TensorRT-RTX finds no GPU here that it knows (compute capability 8.0 or later), or no "
            "driver: see what nvidia-smi says"
        )
    if number >= len(gpus):
        raise ConfigError(
            f"there is no cuda:{number} for ONNX Runtime's provider of TensorRT-RTX: it finds {count(len(gpus), 'GPU')}, from "
            "cuda:0 on"
        )
    return Provider(name, {}, gpus[number])


@cache
def _registered() -> str:
    """Register the TensorRT-RTX provider in this process, once, and return its name."""
    onnxruntime = _onnxruntime()
    try:
        plugin = importlib.import_module(_RTX_MODULE)
    except (ImportError, OSError) as error:
        raise MissingRuntimeError(
            f"ONNX Runtime's provider of TensorRT-RTX is not installed: pip install 'facestream[onnxruntime-rtx]' ({error})"
        ) from error
    if not hasattr(onnxruntime, "register_execution_provider_library"):
        raise MissingRuntimeError(
            f"ONNX Runtime {onnxruntime.__version__} takes no providers of other packages: pip install 'onnxruntime>=1.24'"
        )
    name: str = plugin.get_ep_name()
    try:
        library = Path(plugin.get_library_path())
        # it is installed along with the package, which does not load it
        for cuda in sorted(library.parent.glob("libcudart.so*")):
            ctypes.CDLL(str(cuda), ctypes.RTLD_GLOBAL)
        onnxruntime.register_execution_provider_library(name, str(library))
    except Exception as error:  # the runtime's exceptions have no base class of their own
        what = str(error).rpartition("with error: ")[2].splitlines()[0]
        remedy = "pip install --upgrade 'facestream[onnxruntime-rtx]'"
        if "libcuda.so" in what:
            what, remedy = NO_DRIVER, "install a current one, or set the device to cpu"
        raise MissingRuntimeError(
            f"ONNX Runtime {onnxruntime.__version__} cannot load its provider of TensorRT-RTX: {what}: {remedy}"
        ) from error
    return name
