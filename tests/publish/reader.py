"""A subscriber in a process of its own: reads a run and prints as JSON what it saw.

Usage: python -m tests.publish.reader '{"endpoint": "tcp://...", "wait": true, ...}' with arguments of Subscriber.
With ``wait`` it subscribes, and reads only after a line on standard input.
"""

import json
import sys

from engine.client import Gap, Subscriber
from engine.contracts.messages import kind_of
from tests.patience import PATIENCE_SECONDS


def main() -> None:
    options = json.loads(sys.argv[1])
    wait = options.pop("wait", False)
    seen, gaps = [], []
    with Subscriber(options.pop("endpoint"), timeout_seconds=PATIENCE_SECONDS, **options) as subscriber:
        if wait:
            sys.stdin.readline()
        for item in subscriber:
            if isinstance(item, Gap):
                gaps.append([item.stream, item.kind, item.first_seq, item.last_seq])
            else:
                message = item.message
                seen.append([message.stream, kind_of(message), message.seq, [part.sha256 for part in item.parts]])
        json.dump({"seen": seen, "gaps": gaps, "counters": subscriber.counters}, sys.stdout)


if __name__ == "__main__":
    main()
