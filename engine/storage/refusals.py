"""What boto3 raises, in one sentence: what it is, where, and what to do. No sentence shows credentials."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.contracts.stored import Place
from engine.errors import FacestreamError, SourceError, StorageAwayError, StorageDeniedError, StorageError, UsageError
from engine.words.redaction import redact, redact_url

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

THERE, CONFLICT, NOT_SUPPORTED = 412, 409, 501
"""Status of the answer to a conditional write."""
_CREDENTIALS = "put them in the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY), or a profile in ~/.aws/credentials"
_WRONG = {
    "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken", "TokenRefreshRequired", "InvalidSecurity",
    "AuthorizationHeaderMalformed",
}  # fmt: skip
_BUSY = {
    "SlowDown",
    "InternalError",
    "ServiceUnavailable",
    "RequestTimeout",
    "Throttling",
    "ThrottlingException",
    "TooManyRequests",
}


def status_of(error: ClientError) -> int:
    """Return the HTTP status of a refusal; 0: there is none."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def code_of(error: ClientError) -> str:
    """Return the storage's own name of a refusal."""
    return str(error.response.get("Error", {}).get("Code", ""))


@contextmanager
def told(place: Place, endpoint: str) -> Iterator[None]:
    """Raise one of our errors, with the place, instead of what boto3 raises.

    Raises:
        SourceError: an object is not there, is another one by now, or cannot be read at once (``not_found``).
        StorageError: the storage refuses.
        StorageAwayError: it does not answer.
        UsageError: what is set for boto3 cannot be.
    """
    import botocore.exceptions as boto

    broken = boto.HTTPClientError, boto.ConnectionError, boto.IncompleteReadError
    at = f" at {redact_url(endpoint)}" if endpoint else ""
    try:
        yield
    except boto.ClientError as error:
        raise _refused(place, at, error) from error
    except (boto.NoCredentialsError, boto.PartialCredentialsError) as error:
        raise StorageError(f"{place}{at}: there are no credentials: {_CREDENTIALS}") from error
    except (boto.CredentialRetrievalError, boto.TokenRetrievalError, boto.SSOError, boto.MetadataRetrievalError) as error:
        raise StorageError(f"{place}{at}: the credentials cannot be had ({redact(str(error))}): log in again") from error
    except (boto.ProfileNotFound, boto.ConfigParseError, boto.ConfigNotFound) as error:
        raise UsageError(f"{redact(str(error))}: check AWS_PROFILE, and the files in ~/.aws") from error
    except boto.SSLError as error:
        raise StorageError(f"{place}{at}: its certificate is not trusted, or it speaks no TLS: check AWS_CA_BUNDLE") from error
    except broken as error:
        raise StorageAwayError(
            f"{place}{at} does not answer ({type(error).__name__}): check network and --s3-endpoint; the same command goes on"
        ) from error
    except boto.BotoCoreError as error:
        raise StorageError(f"{place}{at}: {redact(str(error))}") from error
    except ValueError as error:  # of an endpoint that is no URL
        raise UsageError(f"{place}{at}: {redact(str(error))}: check --s3-endpoint, and AWS_ENDPOINT_URL") from error


def _refused(place: Place, at: str, error: ClientError) -> FacestreamError:
    code, status = code_of(error), status_of(error)
    if code == "NoSuchBucket":
        return StorageError(f"there is no bucket {place.bucket}{at}: make it, or check its name and --s3-endpoint")
    if code == "InvalidObjectState":
        return SourceError(f"{place} is in an archive class that cannot be read at once: restore it first", "not_found")
    if status == THERE:
        return SourceError(f"{place} has changed since it was listed: give the same command again", "not_found")
    if status == 404:
        return SourceError(f"{place} is not there any more", "not_found")
    if code in _WRONG:
        return StorageError(f"{place}{at}: the credentials are not taken ({code}): {_CREDENTIALS}")
    if code == "RequestTimeTooSkewed":
        return StorageError(f"{place}{at}: the clock of this machine is wrong by minutes: set it, as by NTP")
    if status in (401, 403):
        return StorageDeniedError(f"{place}{at} may not be used ({code}): these credentials lack the right")
    if status >= 500 or status == 429 or code in _BUSY:
        return StorageAwayError(f"{place}{at} has too much to do, or is out of order ({code}): the same command goes on")
    return StorageError(f"{place}{at}: {code}: {redact(str(error.response.get('Error', {}).get('Message', '')))}")
