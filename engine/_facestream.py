"""What other programs import: ``import facestream``.

    from facestream import Face, Gap, Subscriber     # a run as it happens, see Subscriber
    from facestream import load_run                  # the output directory of a run, as objects and arrays

It is ``engine.client`` under the name of the product.
"""

from engine import __version__
from engine.client import *  # noqa: F403
from engine.client import __all__ as _client

__all__ = [*_client, "__version__"]
