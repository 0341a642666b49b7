"""The words of the runtimes, as they were seen."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import DeviceLostError, DeviceMemoryError, FatalError, InferenceError, RecoverableError, WorkerError
from engine.sessions.failures import run_failure

TENSORS = {"luma": np.zeros((2, 1, 4, 6), np.uint8)}


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("Got invalid dimensions for input: luma", InferenceError),
        ("Non-zero status code returned while running Reshape node. input shape {7}, requested shape {2,3}", InferenceError),
        ("CUDA failure 2: out of memory ; GPU=0 ; hostname=a", DeviceMemoryError),
        ("Failed to allocate memory for requested buffer of size 9663676416", DeviceMemoryError),
        ("std::bad_alloc", DeviceMemoryError),
        ("CUBLAS_STATUS_ALLOC_FAILED", DeviceMemoryError),
        ("CUDA failure 700: an illegal memory access was encountered ; GPU=0", DeviceLostError),
        ("CUDA error: unspecified launch failure", DeviceLostError),
        ("CUDA failure 719: unspecified launch failure", DeviceLostError),
        ("CUDA_ERROR_UNKNOWN: unknown error", DeviceLostError),
        ("VK_ERROR_DEVICE_LOST", DeviceLostError),
        ("the GPU has fallen off the bus", DeviceLostError),
        ("Cuda Error (700)", DeviceLostError),
    ],
)
def test_words_are_told_apart(words, kind):
    error = run_failure("grey", TENSORS, words)
    assert type(error) is kind
    assert words in str(error)
    assert ("luma (2, 1, 4, 6)" in str(error)) == (kind is not DeviceLostError)


def test_a_run_that_fails_is_no_end_and_a_lost_device_asks_for_another_process():
    assert issubclass(DeviceMemoryError, InferenceError)
    assert issubclass(InferenceError, RecoverableError)
    assert not issubclass(InferenceError, FatalError)
    assert issubclass(DeviceLostError, WorkerError)
