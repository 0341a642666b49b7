"""Fixtures of this folder."""

from tests.servers.s3_fixtures import s3 as s3
