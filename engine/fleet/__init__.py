"""Cameras on many nodes: which node has which camera, by leases in a PostgreSQL database that all of them reach."""
