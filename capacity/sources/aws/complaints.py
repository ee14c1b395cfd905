"""What AWS complains of, as our errors: what, where, and what to do next. Nothing secret is passed on."""

from __future__ import annotations

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


def may_pass(error: BaseException, attempt: int) -> bool:
    """Whether to make the same call again: after a throttle, a 5xx or a connection that broke, so many times."""
    from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

    if isinstance(error, ClientError):
        code, status = code_of(error)
        if code in THROTTLED or status == 429:
            return attempt < PATIENT
        return attempt < PERSISTENT and (code in _BUSY or status in (500, 502, 503, 504))
    return attempt < PERSISTENT and isinstance(error, ConnectionError | HTTPClientError)


def code_of(error: Exception) -> tuple[str, int]:
    """(error code, HTTP status) of a botocore ClientError; ("", 0) of anything else."""
    response = getattr(error, "response", None) or {}
    code = str(response.get("Error", {}).get("Code", ""))
    return code, int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def ours(error: Exception, service: str, operation: str, region: str) -> CapacityError:
    """The error of ours that says what AWS said.

    service, operation  as boto3 spells them: "cloudwatch", "get_metric_data"
    """
    from botocore import exceptions as theirs

    if isinstance(error, CapacityError):
        return error
    action = action_of(service, operation)
    place = f"{action} in {region}" if region else action
    said = redacted(str(error))
    code, status = code_of(error)
    if isinstance(error, theirs.NoCredentialsError | theirs.PartialCredentialsError):
        return SourceDenied(
            f"{place}: there are no AWS credentials here. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, sign in "
            "with `aws sso login`, or name a profile of ~/.aws/config with --profile."
        )
    if isinstance(error, theirs.ProfileNotFound):
        return SourceDenied(f"{said}. `aws configure list-profiles` lists those there are.")
    if isinstance(error, theirs.TokenRetrievalError | theirs.SSOError) or code in _EXPIRED:
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
    if code in _DENIED:
        return SourceDenied(
            f"{place}: not allowed. Let the role or user have {action}: `capacity iam` prints the least that capacity "
            f"needs. AWS said: {said}"
        )
    if code in THROTTLED:
        return SourceThrottled(
            f"{place}: AWS kept asking to slow down ({code}), for a minute and a half of ever longer waits. Someone "
            "else is using up the quota of this account: try again later. What was stored stays."
        )
    if code == "ClusterNotFoundException":
        return SourceError(
            f"{place}: there is no such cluster here. `aws ecs list-clusters` lists them; is it another region?"
        )
    if isinstance(error, theirs.EndpointConnectionError | theirs.ConnectTimeoutError | theirs.ConnectionClosedError):
        return SourceError(
            f"{place}: no connection. {said}. Is {region!r} a region, is there a network or a proxy between, is "
            "AWS_ENDPOINT_URL set to a server that does not run?"
        )
    if isinstance(error, theirs.ParamValidationError | theirs.ResponseParserError):
        return SourceChanged(f"{place}: the request or the answer does not have the documented form: {said}")
    if status >= 500 or code in _BUSY:
        return SourceError(f"{place}: AWS failed {status or ''} and kept failing. Try again later. It said: {said}")
    return SourceError(f"{place}: {said}")


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
    return f"{_PREFIXES.get(service, service)}:{name.replace('Ecs', 'ECS')}"
