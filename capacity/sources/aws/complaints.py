"""What AWS complains of, as our errors: what, where, and what to do next. Nothing secret is passed on."""

from __future__ import annotations

import re
from typing import Final

from capacity.errors import CapacityError, SourceChanged, SourceDenied, SourceError, SourceThrottled
from capacity.sources.patience import redacted

#: Codes of "too fast". botocore's standard retry mode knows the same ones (botocore/retries/standard.py).
THROTTLED: Final = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "BandwidthLimitExceeded",
        "LimitExceededException",
        "SlowDown",
        "PriorRequestNotComplete",
        "TransactionInProgressException",
        "ProvisionedThroughputExceededException",
    }
)
_BUSY: Final = frozenset({"InternalServiceError", "InternalFailure", "InternalError", "ServiceUnavailable"})
_EXPIRED: Final = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
_SKEWED: Final = frozenset({"RequestTimeTooSkewed", "InvalidSignatureException", "SignatureDoesNotMatch"})
_UNKNOWN_KEY: Final = frozenset(
    {
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "InvalidAccessKeyId",
        "AuthFailure",
        "MissingAuthenticationToken",
    }
)
_DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized"})

#: Attempts at one call while AWS asks to slow down: with full jitter of up to 20 s, a minute and a half of waiting.
PATIENT: Final = 12
#: Attempts while it fails, or cannot be reached: four seconds of waiting. A failure that lasts is for a person to see.
PERSISTENT: Final = 5
#: Attempts when there is only silence (each has already waited for `Door.timeout`), or a 500 that names no error: AWS
#: names its own, and a server that stands in for it fails so at what it does not have.
SILENT: Final = 2
#: Characters of AWS's own words that are passed on: a denial with two ARNs and its reason fits.
LONGEST: Final = 600


def may_pass(error: BaseException, attempt: int) -> bool:
    """Whether to make the same call again: after a throttle, a 5xx or a connection that broke, so many times."""
    from botocore.exceptions import (
        ClientError,
        ConnectionError,
        ConnectTimeoutError,
        HTTPClientError,
        ReadTimeoutError,
    )

    if isinstance(error, ClientError):
        code, status = code_of(error)
        if code in THROTTLED or status == 429:
            return attempt < PATIENT
        if status == 500 and code == "500":
            return attempt < SILENT
        return attempt < PERSISTENT and (code in _BUSY or status in (500, 502, 503, 504))
    if isinstance(error, ConnectTimeoutError | ReadTimeoutError):
        return attempt < SILENT
    return attempt < PERSISTENT and isinstance(error, ConnectionError | HTTPClientError)


def code_of(error: BaseException | None) -> tuple[str, int]:
    """(error code, HTTP status) of a botocore ClientError; ("", 0) of anything else."""
    response = getattr(error, "response", None) or {}
    code = str(response.get("Error", {}).get("Code", ""))
    return code, int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def credentials_failed(error: BaseException) -> bool:
    """Whether AWS, or the search for credentials, turned the caller away altogether, not just from this one call."""
    cause = error.__cause__ or error
    code = code_of(cause)[0]
    return _absent(cause) or _lapsed(cause) or code in _SKEWED | _UNKNOWN_KEY or _entering(cause)


def ours(error: Exception, service: str, operation: str, region: str) -> CapacityError:
    """The error of ours that says what AWS said, and what to do.

    service, operation  as boto3 spells them: "cloudwatch", "get_metric_data"
    """
    if isinstance(error, CapacityError):
        return error
    error.args = tuple(redacted(part) if isinstance(part, str) else part for part in error.args)  # a traceback shows it
    action = "sts:AssumeRole" if _entering(error) else action_of(service, operation)
    place = f"{action} in {region}" if region else action
    return _denied(error, action, place) or _failed(error, place, region)


def _denied(error: Exception, action: str, place: str) -> SourceDenied | None:
    """When AWS does not know, does not believe or does not let the caller; None for any other complaint."""
    from botocore import exceptions as theirs

    said, code = _said(error), code_of(error)[0]
    if _absent(error):
        return SourceDenied(
            f"{place}: there are no AWS credentials here. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, sign in "
            "with `aws sso login`, or name a profile of ~/.aws/config with --profile."
        )
    if isinstance(error, theirs.ProfileNotFound):
        return SourceDenied(f"{said.rstrip('.')}. `aws configure list-profiles` lists those there are.")
    if _lapsed(error):
        return SourceDenied(
            f"{place}: the credentials have expired ({code or type(error).__name__}). Sign in again (`aws sso login`, "
            "or new temporary keys) and repeat the command: what was stored stays, and it goes on from there."
        )
    if code in _SKEWED:
        return SourceDenied(
            f"{place}: AWS refuses the signature ({code}). Either this machine's clock is wrong by more than five "
            "minutes (`timedatectl` shows it: switch time synchronisation on), or the secret key does not belong to "
            f"the access key. AWS said: {said}"
        )
    if code in _UNKNOWN_KEY:
        return SourceDenied(
            f"{place}: AWS does not know this access key ({code}). `aws sts get-caller-identity` shows whose it is; "
            "a deleted key, one of another partition, or a region that is not switched on are the usual reasons."
        )
    if code in _DENIED and _entering(error):
        return SourceDenied(
            f"{place}: not allowed to enter the role. Its trust policy has to name you (with the external id, if it "
            f"asks for one), and you need {action} on it. AWS said: {said}"
        )
    if code in _DENIED:
        return SourceDenied(
            f"{place}: not allowed. Let the role or user have {action}: `capacity iam` prints the least that capacity "
            f"needs. AWS said: {said}"
        )
    return None


def _failed(error: Exception, place: str, region: str) -> SourceError:
    """When AWS is busy, broken, out of reach, or answers with something else than it documents."""
    from botocore import exceptions as theirs
    from botocore.parsers import ResponseParserError

    said, (code, status) = _said(error), code_of(error)
    if code in THROTTLED:
        return SourceThrottled(
            f"{place}: AWS kept asking to slow down ({code}), for a minute and a half of ever longer waits. Someone "
            "else is using up the quota of this account: try again later. What was stored stays."
        )
    if code == "ClusterNotFoundException":
        return SourceError(
            f"{place}: there is no such cluster here. `aws ecs list-clusters` lists them; is it another region?"
        )
    if isinstance(error, theirs.HTTPClientError | theirs.ConnectionError):
        return SourceError(
            f"{place}: no answer. {said.rstrip('.')}. Is {region!r} a region, is there a network or a proxy between, "
            "is AWS_ENDPOINT_URL set to a server that does not run?"
        )
    if isinstance(error, theirs.ParamValidationError | ResponseParserError):
        return SourceChanged(f"{place}: the request or the answer does not have the documented form: {said}")
    if status >= 500 or code in _BUSY:
        return SourceError(f"{place}: AWS failed ({status or code}) and kept failing. Try again later. It said: {said}")
    return SourceError(f"{place}: {said}")


def _absent(error: BaseException) -> bool:
    from botocore import exceptions as theirs

    return isinstance(
        error, theirs.NoCredentialsError | theirs.PartialCredentialsError | theirs.CredentialRetrievalError
    )


def _lapsed(error: BaseException) -> bool:
    from botocore import exceptions as theirs

    return isinstance(error, theirs.TokenRetrievalError | theirs.SSOError) or code_of(error)[0] in _EXPIRED


def _entering(error: BaseException) -> bool:
    """Whether it was the role that could not be assumed, on the way to the call that was meant."""
    return getattr(error, "operation_name", "") == "AssumeRole"


def _said(error: Exception) -> str:
    """AWS's own sentence, on one line, without anything secret."""
    response = getattr(error, "response", None) or {}
    sentence = str(response.get("Error", {}).get("Message") or error)
    if "<html" in sentence:  # a proxy or a test server, not AWS
        sentence = re.sub(r"<[^>]*>", " ", sentence)
    return redacted(" ".join(sentence.split()))[:LONGEST]


#: Where the prefix of an IAM action is not boto3's name of the service (Service Authorization Reference).
_PREFIXES: Final = {
    "elbv2": "elasticloadbalancing",
    "service-quotas": "servicequotas",
}


def action_of(service: str, operation: str) -> str:
    """The IAM action behind a boto3 call.

    >>> action_of("elbv2", "describe_target_groups"), action_of("cloudwatch", "get_metric_data")
    ('elasticloadbalancing:DescribeTargetGroups', 'cloudwatch:GetMetricData')
    """
    name = "".join(part.capitalize() for part in operation.split("_"))
    return f"{_PREFIXES.get(service, service)}:{name.replace('Ecs', 'ECS').replace('Aws', 'AWS')}"
