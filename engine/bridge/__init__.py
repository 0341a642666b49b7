"""What a site publishes over ZeroMQ, taken to the message broker at its edge."""
