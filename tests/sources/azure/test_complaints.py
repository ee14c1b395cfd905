"""When Azure complains: what to do, in one paragraph, and nothing secret; and patience where patience helps."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import traceback
from typing import Any

import pytest

from capacity.config.azure import AzureMetric
from capacity.errors import InputError, MissingExtra, SourceChanged, SourceDenied, SourceError, SourceThrottled
from capacity.sources.azure import azure_advisor
from tests.conftest import ROOT
from tests.sources.azure.server import SUBSCRIPTION, TOKEN, Azure, error, metrics_batch, minutes, span

DAY = span("2026-11-19T08:00", "2026-11-19T12:00")
REQUESTS = (AzureMetric(name="Requests", metric="requests", aggregation="total"),)


def complaint(azure: Azure, kind: type[SourceError], **settings: Any) -> str:
    with pytest.raises(kind) as caught:
        azure.monitor("web", metrics=REQUESTS, **settings).read(DAY)
    assert isinstance(caught.value, kind)
    text = str(caught.value)
    assert "\n" not in text
    assert TOKEN not in "".join(traceback.format_exception(caught.value))
    return text


@pytest.mark.parametrize(
    ("status", "code", "kind", "words"),
    [
        (401, "ExpiredAuthenticationToken", SourceDenied, "does not accept this sign-in (ExpiredAuthenticationToken)"),
        (403, "AuthorizationFailed", SourceDenied, "--role 'Monitoring Reader' --scope /subscriptions/1111"),
        (404, "SubscriptionNotFound", SourceError, "refused the request (SubscriptionNotFound)"),
        (400, "BadRequest", SourceError, "Are all resources in westeurope"),
        (500, "InternalServerError", SourceError, "kept failing"),
    ],
)
def test_what_azure_refuses_says_why_and_what_to_do(
    azure: Azure, status: int, code: str, kind: type[SourceError], words: str
) -> None:
    azure.first = [(status, {}, error(code, f"It did not like Bearer {TOKEN}"))] * 20
    text = complaint(azure, kind)
    assert words in text
    assert "metrics:getBatch in westeurope" in text
    assert "It did not like" in text


def test_a_metric_that_azure_does_not_know_names_those_there_are_and_spoils_no_other(azure: Azure) -> None:
    azure.keep("web", "Requests", dict.fromkeys(minutes("2026-11-19T10:00", 2), 60.0))
    wrong = AzureMetric(name="Replicaz", metric="running_tasks", each="revisionName")
    monitor = azure.monitor("web", metrics=(wrong, *REQUESTS))
    (batch,) = monitor.pull(DAY)
    assert set(batch.observations.frame["metric"]) == {"requests"}
    assert {asked.metric for asked, _ in batch.covered} == {"requests"}
    (finding,) = batch.observations.findings
    assert (finding.metric, finding.status) == ("running_tasks", "FAIL")
    assert "Valid" in finding.message
    assert "'Requests'" in finding.message


def test_what_was_refused_once_is_not_asked_again(azure: Azure) -> None:
    wrong = AzureMetric(name="Replicaz", metric="running_tasks", each="revisionName")
    monitor = azure.monitor("web", metrics=(wrong,), workers=1)
    with pytest.raises(SourceError, match="Replicaz"):
        monitor.read(span("2026-09-01", "2026-11-01"))
    assert len(azure.asked) == 1
    assert monitor.outlay(span("2026-09-01", "2026-11-01")).total > 3


def test_azure_is_waited_for_as_long_as_it_asks(azure: Azure) -> None:
    azure.keep("web", "Requests", dict.fromkeys(minutes("2026-11-19T10:00", 2), 60.0))
    azure.first = [(429, {"Retry-After": "7"}, error("TooManyRequests", "Slow down."))] * 2
    waits: list[float] = []
    monitor = azure.monitor("web", metrics=REQUESTS, sleep=waits.append)
    assert len(monitor.read(DAY)) == 2
    assert waits == [7, 7]
    assert monitor.spent.calls == {"metrics:getBatch": 3}  # those refused count too
    assert len(azure.asked) == 3


@pytest.mark.parametrize("status", [429, 529, 500, 502, 503, 504])
def test_a_moment_of_trouble_passes_also_without_being_told_how_long(azure: Azure, status: int) -> None:
    azure.keep("web", "Requests", dict.fromkeys(minutes("2026-11-19T10:00", 2), 60.0))
    azure.first = [(status, {}, error("Busy", "Not now."))] * 4
    waits: list[float] = []
    assert len(azure.monitor("web", metrics=REQUESTS, sleep=waits.append).read(DAY)) == 2
    assert waits == sorted(waits)
    assert max(waits) <= 20


@pytest.mark.parametrize("status", [429, 529])
def test_trouble_that_lasts_is_said(azure: Azure, status: int) -> None:
    azure.first = [(status, {}, error("TooManyRequests", "Slow down."))] * 20
    waits: list[float] = []
    assert "what was stored stays" in complaint(azure, SourceThrottled, sleep=waits.append)
    assert 30 < sum(waits) < 180


def test_what_came_before_a_failure_is_handed_over(azure: Azure) -> None:
    services = [f"svc-{number}" for number in range(60)]
    for service in services:
        azure.keep(service, "Requests", dict.fromkeys(minutes("2026-11-19T10:00", 2), 60.0))
    azure.first = [None, (403, {}, error("AuthorizationFailed", "No."))]
    pull = azure.monitor(*services, metrics=REQUESTS, workers=1).pull(DAY)
    batch = next(pull)
    assert set(batch.observations.frame["service"]) == set(services[:50])
    assert {asked.service for asked, _ in batch.covered} == set(services[:50])
    with pytest.raises(SourceDenied):
        next(pull)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Sign in</html>",
        {"value": []},
        {"values": [{"resourceid": "x"}, None]},
        {"values": [{"resourceid": "WEB", "value": [{"name": {"value": "Requests"}, "unit": "Count"}]}]},
        {"values": 7},
        b'{"values": [',
    ],
)
def test_an_answer_of_another_form_is_not_taken_for_no_data(azure: Azure, body: Any) -> None:
    if isinstance(body, dict) and "WEB" in str(body):
        body["values"][0]["resourceid"] = azure.monitor("web").resources[0]
    azure.first = [(200, {}, body)]
    assert "documented form" in complaint(azure, SourceChanged)


def test_stamps_off_the_grid_are_refused(azure: Azure) -> None:
    data = [{"timeStamp": "2026-11-19T10:00:07Z", "total": 1.0}]
    entry = {"name": {"value": "Requests"}, "unit": "Count", "timeseries": [{"data": data}]}
    web = azure.monitor("web").resources[0]
    azure.first = [(200, {}, {"values": [{"resourceid": web, "interval": "PT1M", "value": [entry]}]})]
    assert "not on the grid of 60 s" in complaint(azure, SourceChanged)


def test_a_coarser_answer_is_a_finding(azure: Azure) -> None:
    web = azure.monitor("web").resources[0]
    azure.first = [(200, {}, {"values": [{"resourceid": web, "interval": "PT1H", "value": []}]})]
    seen = azure.monitor("web", metrics=REQUESTS).read(DAY)
    assert ["keeps Requests by PT1H only" in finding.message for finding in seen.findings] == [True]


def test_json_inside_json_is_read(azure: Azure) -> None:
    azure.keep("web", "Requests", dict.fromkeys(minutes("2026-11-19T10:00", 2), 60.0))
    list(azure.monitor("web", metrics=REQUESTS).pull(DAY))
    asked = azure.asked[-1]
    inner = json.dumps(metrics_batch(azure, asked["path"], asked["query"], asked["body"]))
    azure.first = [(200, {}, inner)]
    assert len(azure.monitor("web", metrics=REQUESTS).read(DAY)) == 2


def test_no_sign_in_says_how_to_sign_in(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> None:
    from azure.identity import EnvironmentCredential

    for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_USERNAME"):
        monkeypatch.delenv(name, raising=False)
    text = complaint(azure, SourceDenied, credential=EnvironmentCredential())
    assert "az login" in text
    assert azure.asked == []


def test_a_secret_that_expired_is_told_though_the_sdk_says_it_last(azure: Azure) -> None:
    from azure.core.exceptions import ClientAuthenticationError

    class Chain:
        def get_token(self, *scopes: str, **_: Any) -> Any:
            raise ClientAuthenticationError(
                "DefaultAzureCredential failed to retrieve a token from the included credentials.\n"
                "Attempted credentials:\n"
                "\tEnvironmentCredential: Authentication failed: AADSTS7000222: The provided client secret keys for "
                "app 'a1' are expired.\n"
                "\tAzureCliCredential: Azure CLI not found on path\n"
                "To mitigate this issue, please refer to the troubleshooting guidelines"
            )

    text = complaint(azure, SourceDenied, credential=Chain())
    assert text.endswith("AADSTS7000222: The provided client secret keys for app 'a1' are expired.")
    assert "EnvironmentCredential" in text and "not found on path" not in text


def test_the_sdk_does_not_print_its_attempts_beside_our_error() -> None:
    script = (
        "import logging; from capacity.sources.azure.access import signed_in\n"
        "with signed_in(None): logging.getLogger('azure.identity._credentials').warning('attempted')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_no_connection_is_not_no_data(azure: Azure) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        azure.url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    assert "no connection" in complaint(azure, SourceError)


@pytest.mark.parametrize("endpoint", ["http://metrics.example.com", "ftp://127.0.0.1", "127.0.0.1:80"])
def test_a_token_never_travels_unencrypted(azure: Azure, endpoint: str) -> None:
    azure.url = endpoint
    with pytest.raises(InputError, match="a token may not travel unencrypted"):
        azure.monitor("web").read(DAY)
    with pytest.raises(InputError, match="a token may not travel unencrypted"):
        azure_advisor(SUBSCRIPTION, None, endpoint)


@pytest.mark.parametrize(
    ("module", "package"),
    [
        ("azure.monitor.querymetrics", "azure-monitor-querymetrics"),
        ("orjson", "orjson"),
        ("azure.identity", "azure-identity"),
    ],
)
def test_a_package_that_is_missing_is_named(
    azure: Azure, monkeypatch: pytest.MonkeyPatch, module: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)  # as Python marks what cannot be imported
    with pytest.raises(MissingExtra, match=rf"extra 'azure'\): pip install {package}$"):
        azure.monitor("web", credential=None).read(DAY)


def test_advisor_names_its_package_too(azure: Azure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "azure.mgmt.advisor", None)
    with pytest.raises(MissingExtra, match="pip install azure-mgmt-advisor"):
        azure_advisor(SUBSCRIPTION, None, azure.url)


def test_a_source_shows_no_credential(azure: Azure) -> None:
    assert "Token" not in repr(azure.monitor("web"))
