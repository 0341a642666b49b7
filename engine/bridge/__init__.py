"""Forwards what a site publishes over ZeroMQ to the message broker at its edge."""
