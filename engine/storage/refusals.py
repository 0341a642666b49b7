"""What boto3 raises, in one sentence: what it is, where, and what to do. No sentence shows credentials."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from engine.contracts.stored import Place
from engine.errors import (
    FacestreamError,
    MissingObjectError,
    SourceError,
    StorageAwayError,
    StorageDeniedError,
    StorageError,
    UsageError,
)
from engine.storage.version import changed
from engine.words.redaction import redact, redact_url

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

THERE, CONFLICT, NOT_SUPPORTED = 412, 409, 501
"""Status of the answer to a conditional write."""
UNSPOKEN = (301, 400, 401, 403)
"""Status of refusals of which the words say why."""
_NO_SUCH_PART = 416
_CREDENTIALS = "put them in the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY), or a profile in ~/.aws/credentials"
_WRONG = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "InvalidSecurity", "UnrecognizedClientException"}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"}
_ELSEWHERE = {"PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"}
_DENIED = {"AccessDenied", "AllAccessDisabled", "AccountProblem", "MethodNotAllowed"}
_BUSY = {
    "SlowDown",
    "InternalError",
    "ServiceUnavailable",
    "RequestTimeout",
    "Throttling",
    "ThrottlingException",
    "TooManyRequests",
}
_OF_ONE = {"HeadObject", "GetObject"}
_TO_DO = {
    "HeadObject": "read",
    "GetObject": "read",
    "ListObjectsV2": "listed",
    "DeleteObject": "deleted",
    "DeleteObjects": "deleted",
    "ListMultipartUploads": "asked for unfinished uploads",
    "AbortMultipartUpload": "rid of unfinished uploads",
}
"""What may not be done with a place, by the request; all others write."""


def status_of(error: ClientError) -> int:
    """Return the HTTP status of a refusal; 0: there is none."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def code_of(error: ClientError) -> str:
    """Return the storage's own name of a refusal; the status, or nothing, where it gives none."""
    return str(error.response.get("Error", {}).get("Code") or "")


@contextmanager
def told(place: Place, endpoint: str) -> Iterator[None]:
    """Raise one of our errors, with the place, instead of what boto3 raises.

    Raises:
        SourceError: an object is not there (``MissingObjectError``), is another one by now, or cannot be read at once
            (``not_found``).
        StorageError: the storage refuses.
        StorageAwayError: it does not answer.
        UsageError: what is set for boto3 cannot be.
    """
    import botocore.exceptions as boto
    from botocore.parsers import ResponseParserError

    broken = boto.HTTPClientError, boto.ConnectionError, boto.IncompleteReadError
    at = f" at {redact_url(endpoint)}" if endpoint else ""
    try:
        yield
    except boto.ClientError as error:
        raise _refused(place, at, error) from error
    except (boto.NoCredentialsError, boto.PartialCredentialsError) as error:
        raise StorageError(f"{place}{at}: there are no credentials: {_CREDENTIALS}") from error
    except (boto.CredentialRetrievalError, boto.TokenRetrievalError, boto.SSOError, boto.MetadataRetrievalError) as error:
        raise StorageError(f"{place}{at}: the credentials cannot be obtained ({_line(error)}): log in again") from error
    except (boto.ProfileNotFound, boto.ConfigParseError, boto.ConfigNotFound) as error:
        raise UsageError(f"{_line(error)}: check AWS_PROFILE, and the files in ~/.aws") from error
    except boto.SSLError as error:
        raise StorageError(
            f"{place}{at}: its certificate is not trusted, or it speaks no TLS: name the file of its authority in "
            "AWS_CA_BUNDLE, or write http://"
        ) from error
    except broken as error:
        raise StorageAwayError(
            f"{place}{at} does not answer ({type(error).__name__}): check network and --s3-endpoint; the same command goes on"
        ) from error
    except ResponseParserError as error:
        raise _no_storage(place, at, "what answers there is not S3") from error
    except RecursionError as error:  # of boto3, which looks for the region of a bucket where it is sent on
        why = "every request is sent elsewhere, as to https:// or to another region (AWS_DEFAULT_REGION)"
        raise _no_storage(place, at, why) from error
    except boto.BotoCoreError as error:
        raise StorageError(f"{place}{at}: {_line(error)}") from error
    except ValueError as error:  # of an endpoint that is no URL
        raise UsageError(f"{place}{at}: {_line(error)}: check --s3-endpoint, and AWS_ENDPOINT_URL") from error


def _refused(place: Place, at: str, error: ClientError) -> FacestreamError:
    code, status = code_of(error), status_of(error)
    if code == "NoSuchBucket":
        return StorageError(f"there is no bucket {place.bucket}{at}: make it, or check its name and --s3-endpoint")
    if code == "InvalidObjectState":
        return SourceError(f"{place} is in an archive class that cannot be read at once: restore it first", "not_found")
    if status in (THERE, _NO_SUCH_PART):
        return changed(place)
    if status == 404 and error.operation_name in _OF_ONE:
        return MissingObjectError(f"{place} is not there any more", "not_found")
    if code in _EXPIRED:
        return StorageError(f"{place}{at}: the credentials have expired ({code}): log in again, or put new ones where they are")
    if code in _WRONG:
        return StorageError(f"{place}{at}: the credentials are not taken ({code}): {_CREDENTIALS}")
    if code == "RequestTimeTooSkewed":
        return StorageError(f"{place}{at}: the clock of this machine differs from the storage's by minutes: set it, as by NTP")
    if code in _ELSEWHERE:
        region = str(error.response.get("Error", {}).get("Region", "")) or "the bucket's region"
        return StorageError(f"{place}{at} is in another region ({code}): set AWS_DEFAULT_REGION to {region}")
    if code == "EntityTooLarge":
        return StorageError(f"{place}{at}: the storage takes no object so large ({code}): ask whoever runs it")
    if status in (401, 403) or code in _DENIED:
        what = _TO_DO.get(error.operation_name, "written")
        return StorageDeniedError(f"{place}{at} may not be {what} ({code}): these credentials lack the right")
    if (status >= 500 and status != NOT_SUPPORTED) or status == 429 or code in _BUSY:
        check = "if it stays so check --s3-endpoint; " if code == str(status) else ""
        return StorageAwayError(f"{place}{at} has too much to do, or is out of order ({code}): {check}the same command goes on")
    if not code or code == str(status):
        return _no_storage(place, at, f"what answers there says {status} and nothing more")
    return StorageError(f"{place}{at}: {code}: {_line(error.response.get('Error', {}).get('Message') or '')}")


def _no_storage(place: Place, at: str, why: str) -> StorageError:
    return StorageError(f"{place}{at}: {why}: check --s3-endpoint, with its port, and AWS_ENDPOINT_URL")


def _line(said: object) -> str:
    return " ".join(redact(str(said)).split())
