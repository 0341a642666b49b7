"""Messages, numbered, on ZeroMQ sockets: to whom they go, what leaves of a face, and what is sent again."""
