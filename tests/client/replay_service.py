"""Replay services of a test's own making."""

import threading
import time
from contextlib import contextmanager

import zmq

from engine.contracts.messages import encode_header, topic_of
from engine.contracts.replay import ReplayAnswer, decode_request, encode_replay
from tests.patience import PATIENCE_SECONDS
from tests.publish.samples import as_sent, face


@contextmanager
def replaying(opened, answer, endpoint="tcp://127.0.0.1:*"):
    """Yield the endpoint of a replay service whose every request is answered by ``answer(router, identity, request)``."""
    router, stop = opened.socket(zmq.ROUTER), threading.Event()
    router.setsockopt(zmq.IPV6, "[" in endpoint)
    router.bind(endpoint)
    asked = []

    def serve():
        while not stop.is_set():
            if router.poll(20):
                identity, body = router.recv_multipart()
                asked.append(decode_request(body))
                answer(router, identity, asked[-1])

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield router.getsockopt(zmq.LAST_ENDPOINT).rstrip(b"\0").decode(), asked
    finally:
        stop.set()
        thread.join(PATIENCE_SECONDS)
        router.close()


def answer_all(router, identity, request, age_seconds=0.0, live=True):
    """Answer with every face that is asked for."""
    message, payloads = face()
    for seq in range(request.from_seq, request.to_seq + 1):
        sent_ns = time.time_ns() - int(age_seconds * 1e9)
        stamped = as_sent(message, seq, live=live, sent_ns=sent_ns)
        answer = ReplayAnswer(request_id=request.request_id, status="message", first_seq=seq, last_seq=seq)
        router.send_multipart([identity, encode_replay(answer), topic_of(stamped).encode(), encode_header(stamped), *payloads])
    fields = {"first_seq": request.from_seq, "last_seq": request.to_seq}
    router.send_multipart([identity, encode_replay(ReplayAnswer(request_id=request.request_id, status="done", **fields))])
