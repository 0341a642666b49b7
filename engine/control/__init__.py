"""How a running service is told what to do: the requests and replies, and who sends them."""
