"""Tests of ``engine.service``."""
