import pytest

from tests.client.wire import Wire
from tests.publish.samples import context


@pytest.fixture
def opened():
    made = context()
    yield made
    made.term()


@pytest.fixture
def wire(opened):
    made = Wire(opened)
    yield made
    made.socket.close()
