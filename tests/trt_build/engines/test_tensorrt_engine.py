"""A build that is interrupted."""

import signal

import pytest

from trt_build.engines import tensorrt_engine


def test_ctrl_c_ends_a_build_although_callbacks_swallow_exceptions():
    before, went_on = signal.getsignal(signal.SIGINT), []

    def built():
        with tensorrt_engine._interruptible():
            signal.raise_signal(signal.SIGINT)
            went_on.append("inside the builder")

    with pytest.raises(KeyboardInterrupt):
        built()
    assert went_on == ["inside the builder"]
    assert signal.getsignal(signal.SIGINT) is before
