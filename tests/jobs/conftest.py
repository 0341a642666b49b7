"""Fixtures of this folder."""

from tests.servers.s3_fixtures import any_s3 as any_s3
from tests.servers.s3_fixtures import s3 as s3
