"""Every complaint of AWS is one paragraph that says what to do, and nothing secret comes through the door."""

from __future__ import annotations

import http.server
import re
import socket
import threading
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from capacity.errors import CapacityError, SourceDenied, SourceError, SourceThrottled
from capacity.sources.aws import Door
from capacity.sources.aws.complaints import PATIENT, PERSISTENT, SILENT
from tests.servers import Server
from tests.sources.aws.conftest import KEY, SECRET, TOKEN
from tests.sources.aws.fake import Answer, Complaint, FakeAws

LISTED = ("ecs", "ListClusters")
NONE: Answer = {"clusterArns": []}


def ask(door: Door) -> dict[str, Any]:
    return door.call("ecs", "list_clusters")


def failing(complaint: Complaint) -> tuple[CapacityError, int, list[float]]:
    """The error of a call that AWS always answers so, how often it was made, and the waits between."""
    waits: list[float] = []
    with FakeAws({LISTED: complaint}) as aws:
        with pytest.raises(CapacityError) as raised:
            ask(Door("eu-west-1", endpoint=aws.url, sleep=waits.append))
        return raised.value, len(aws.asked), waits


def assert_no_secret(error: BaseException) -> None:
    """In nothing that a log or a traceback would show: the error, its causes, their reprs."""
    shown: BaseException | None = error
    while shown is not None:
        for text in (str(shown), repr(shown)):
            assert SECRET not in text and TOKEN not in text and TOKEN[:40] not in text
        shown = shown.__cause__
    assert KEY not in str(error)


@pytest.mark.parametrize(
    ("code", "status", "kind", "says"),
    [
        ("AccessDeniedException", 400, SourceDenied, "Let the role or user have ecs:ListClusters"),
        ("ExpiredTokenException", 400, SourceDenied, "have expired (ExpiredTokenException). Sign in again"),
        ("UnrecognizedClientException", 400, SourceDenied, "AWS does not know this access key"),
        ("InvalidClientTokenId", 403, SourceDenied, "`aws sts get-caller-identity` shows whose it is"),
        ("RequestTimeTooSkewed", 403, SourceDenied, "clock is wrong by more than five minutes"),
        ("InvalidSignatureException", 403, SourceDenied, "clock is wrong by more than five minutes"),
        ("SignatureDoesNotMatch", 403, SourceDenied, "the secret key does not belong to the access key"),
        ("ClusterNotFoundException", 400, SourceError, "`aws ecs list-clusters` lists them"),
        ("InvalidParameterException", 400, SourceError, "as the test wants it"),
    ],
)
def test_a_complaint_that_will_not_pass_is_said_at_once(code: str, status: int, kind: type, says: str) -> None:
    error, asked, waits = failing(Complaint(code, status=status))
    assert type(error) is kind and says in str(error) and str(error).startswith("ecs:ListClusters in eu-west-1: ")
    assert asked == 1 and not waits
    assert "\n" not in str(error)


@pytest.mark.parametrize(
    "code", ["Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"]
)
def test_throttles_that_do_not_end_are_said_after_a_minute_and_a_half_of_waiting(code: str) -> None:
    error, asked, waits = failing(Complaint(code, "Rate exceeded"))
    assert isinstance(error, SourceThrottled) and "try again later" in str(error)
    assert asked == PATIENT and len(waits) == PATIENT - 1 and max(waits) <= 20


def test_throttles_then_success_is_success_and_every_request_is_counted() -> None:
    waits: list[float] = []
    busy: list[Answer] = [Complaint("Throttling", "Rate exceeded"), Complaint("InternalFailure", "", 500), NONE]
    with FakeAws({LISTED: busy}) as aws:
        door = Door("eu-west-1", endpoint=aws.url, sleep=waits.append)
        assert ask(door)["clusterArns"] == []
    assert door.counted == {("ecs", "list_clusters"): 3} and len(aws.asked) == 3 and len(waits) == 2


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_failures_that_do_not_end_are_said_after_a_few_attempts(status: int) -> None:
    error, asked, _ = failing(Complaint("InternalFailure", "<!doctype html>\n<html><h1>Oh</h1></html>", status))
    assert type(error) is SourceError and asked == PERSISTENT
    assert f"AWS failed ({status}) and kept failing. Try again later. It said: Oh" in str(error)


def test_what_aws_says_is_passed_on_without_keys_and_not_endlessly() -> None:
    text = f"User: arn:aws:iam::1:user/me with {KEY} {SECRET} {TOKEN} is not authorized " + "because " * 500
    error, _, _ = failing(Complaint("AccessDeniedException", text))
    assert "arn:aws:iam::1:user/me" in str(error) and len(str(error)) < 900
    assert_no_secret(error)


def test_a_signature_that_aws_prints_with_its_token_is_not_passed_on_not_even_by_a_traceback() -> None:
    canonical = f"'POST\n/\n\nhost:ecs\nx-amz-security-token:{TOKEN}\n\nhost;x-amz-security-token'"
    error, _, _ = failing(Complaint("SignatureDoesNotMatch", f"The Canonical String should have been {canonical}", 403))
    assert error.__cause__ is not None and "Canonical String" in str(error.__cause__)
    assert_no_secret(error)
    assert TOKEN[:40] not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize(
    "complaint",
    [
        Complaint("AccessDeniedException"),
        Complaint("ExpiredTokenException"),
        Complaint("Throttling"),
        Complaint("X", "", 503),
    ],
    ids=lambda complaint: complaint.code,
)
def test_no_error_shows_a_secret(complaint: Complaint) -> None:
    error, _, _ = failing(complaint)
    assert_no_secret(error)


def test_a_door_shows_no_secret_and_no_answer() -> None:
    with FakeAws({LISTED: NONE}) as aws:
        door = Door("eu-west-1", endpoint=aws.url, external_id="a-shared-secret")
        ask(door)
    assert not any(secret in repr(door) for secret in (KEY, SECRET, TOKEN, "a-shared-secret"))
    assert "eu-west-1" in repr(door)


def test_no_credentials_are_said_with_three_ways_to_have_some(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    with pytest.raises(SourceDenied, match=r"no AWS credentials here.*aws sso login.*--profile"):
        ask(Door("eu-west-1", endpoint="http://127.0.0.1:9"))
    role = "arn:aws:iam::123456789012:role/reader"
    with pytest.raises(SourceDenied, match="no AWS credentials here"):
        ask(Door("eu-west-1", role_arn=role, endpoint="http://127.0.0.1:9"))


def test_half_of_the_credentials_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(SourceDenied, match="no AWS credentials here"):
        ask(Door("eu-west-1", endpoint="http://127.0.0.1:9"))


def test_an_unknown_profile_is_said_with_how_to_list_them() -> None:
    with pytest.raises(SourceDenied, match=r"profile \(nobody\).*`aws configure list-profiles`"):
        ask(Door("eu-west-1", profile="nobody"))


@pytest.mark.parametrize("region", ["eu west 1", "https://evil"])
def test_a_region_that_cannot_be_one_is_said(region: str) -> None:
    with pytest.raises(SourceError, match=r"ecs:ListClusters in .*region"):
        ask(Door(region))


def test_an_address_that_cannot_be_one_is_said() -> None:
    with pytest.raises(SourceError, match="Invalid endpoint"):
        ask(Door("eu-west-1", endpoint="not an address"))


def test_a_server_that_does_not_run_is_said_after_a_few_attempts() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    waits: list[float] = []
    with pytest.raises(SourceError, match=r"no answer.*AWS_ENDPOINT_URL set to a server that does not run") as raised:
        ask(Door("eu-west-1", endpoint=f"http://127.0.0.1:{port}", sleep=waits.append))
    assert len(waits) == PERSISTENT - 1
    assert_no_secret(raised.value)


def broken(reply: Callable[[http.server.BaseHTTPRequestHandler], None]) -> tuple[str, Callable[[], None]]:
    """The address of a server that answers every request so, and how to stop it."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            reply(self)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return f"http://127.0.0.1:{server.server_port}", stop


def test_a_connection_that_breaks_is_asked_again_and_then_said() -> None:
    address, stop = broken(lambda handler: handler.connection.close())
    try:
        with pytest.raises(SourceError, match="no answer"):
            ask(Door("eu-west-1", endpoint=address, sleep=lambda seconds: None))
    finally:
        stop()


def test_a_region_that_never_answers_is_given_up_soon() -> None:
    waits: list[float] = []
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(SourceError, match="no answer"):
            ask(Door("eu-west-1", endpoint=address, sleep=waits.append, timeout=0.3))
    assert len(waits) == SILENT - 1


def test_an_answer_of_another_form_is_said() -> None:
    def reply(handler: http.server.BaseHTTPRequestHandler) -> None:
        body = b"<html>a proxy's login page"
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    address, stop = broken(reply)
    try:
        with pytest.raises(SourceError, match="does not have the documented form"):
            ask(Door("eu-west-1", endpoint=address, sleep=lambda seconds: None))
    finally:
        stop()


def test_a_wrong_parameter_is_said_before_anything_is_sent() -> None:
    with FakeAws() as aws, pytest.raises(CapacityError, match=r"documented form: .*Unknown parameter"):
        Door("eu-west-1", endpoint=aws.url).call("ecs", "list_clusters", cluster="shop")
    assert not aws.asked


def test_pages_are_read_to_the_last_and_a_token_that_repeats_ends_them() -> None:
    pages: list[Answer] = [
        {"clusterArns": ["a"], "nextToken": "1"},
        {"clusterArns": ["b"], "nextToken": "2"},
        {"clusterArns": ["c"], "nextToken": "2"},
    ]
    with FakeAws({LISTED: pages}) as aws:
        found = list(Door("eu-west-1", endpoint=aws.url).pages("ecs", "list_clusters", maxResults=1))
    assert [page["clusterArns"] for page in found] == [["a"], ["b"], ["c"]]
    assert [each.params.get("nextToken") for each in aws.asked] == [None, "1", "2"]


def test_the_region_is_the_one_named_then_the_environments_then_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Door("eu-west-1").where == "eu-west-1" and Door().where == "us-east-1"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")
    assert Door().where == "eu-north-1"
    monkeypatch.setenv("AWS_REGION", "eu-south-1")
    assert Door().where == "eu-south-1"


def test_a_service_of_one_region_is_asked_there(monkeypatch: pytest.MonkeyPatch) -> None:
    answer: Answer = {"ResultsByTime": []}
    period = {"Start": "2026-08-01", "End": "2026-08-02"}
    with FakeAws({("ce", "GetCostAndUsage"): answer}) as aws:
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
        Door("eu-west-1").call(
            *("ce", "get_cost_and_usage"), region="us-east-1", TimePeriod=period, Granularity="DAILY", Metrics=["X"]
        )
    assert aws.asked[0].region == "us-east-1"


ROLE = "arn:aws:iam::999999999999:role/reader"


def role_answers(*, denied: bool = False) -> dict[tuple[str, str], Any]:
    from datetime import UTC, datetime

    given = {
        "Credentials": {
            "AccessKeyId": "ASIAROLEROLEROLEROLE",
            "SecretAccessKey": SECRET,
            "SessionToken": TOKEN,
            "Expiration": datetime(2100, 1, 1, tzinfo=UTC),
        }
    }
    return {("sts", "AssumeRole"): Complaint("AccessDenied", "no", 403) if denied else given, LISTED: NONE}


def test_a_role_is_entered_once_and_its_keys_sign_every_call() -> None:
    with FakeAws(role_answers()) as aws:
        door = Door("eu-west-1", role_arn=ROLE, external_id="x-1", endpoint=aws.url)
        ask(door)
        ask(door)
    assert [(each.operation, each.access_key) for each in aws.asked] == [
        ("AssumeRole", KEY),
        ("ListClusters", "ASIAROLEROLEROLEROLE"),
        ("ListClusters", "ASIAROLEROLEROLEROLE"),
    ]
    assert aws.asked[0].params == {"RoleArn": ROLE, "RoleSessionName": "ecs-capacity", "ExternalId": "x-1"}


def test_a_role_that_may_not_be_entered_is_said_as_that() -> None:
    with FakeAws(role_answers(denied=True)) as aws, pytest.raises(SourceDenied) as raised:
        ask(Door("eu-west-1", role_arn=ROLE, external_id="x-1", endpoint=aws.url))
    assert str(raised.value).startswith("sts:AssumeRole in eu-west-1: not allowed to enter the role")
    assert "ecs:ListClusters" not in str(raised.value) and "x-1" not in str(raised.value)


def test_a_door_serves_several_threads_with_one_client_and_counts_all() -> None:
    with FakeAws({LISTED: NONE}) as aws:
        door = Door("eu-west-1", endpoint=aws.url)
        threads = [threading.Thread(target=ask, args=(door,)) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert door.client("ecs") is door.client("ecs")
    assert door.counted == {("ecs", "list_clusters"): 16}


def test_it_says_who_it_is_so_that_an_auditor_can_see_it() -> None:
    assert re.search("ecs-capacity", Door("eu-west-1").client("ecs").meta.config.user_agent_extra)


@pytest.fixture(autouse=True)
def _keys(keys: None) -> None:
    """Every test here starts with made-up keys."""
