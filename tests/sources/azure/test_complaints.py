"""When Azure complains: what to do, in one paragraph, and nothing secret; and patience where patience helps."""

from __future__ import annotations

import socket
import traceback
from typing import Any

import pytest

from capacity.config.azure import AzureMetric
from capacity.errors import InputError, SourceChanged, SourceDenied, SourceError, SourceThrottled
from capacity.sources.azure import azure_advisor
from tests.sources.azure.server import SUBSCRIPTION, TOKEN, Azure, error, minutes, span

DAY = span("2026-11-19T08:00", "2026-11-19T12:00")
REQUESTS = (AzureMetric(name="Requests", metric="requests", aggregation="total"),)


def complaint(azure: Azure, kind: type[SourceError], **settings: Any) -> str:
    with pytest.raises(kind) as caught:
        azure.monitor("web", metrics=REQUESTS, **settings).read(DAY)
    assert type(caught.value) is kind
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


def test_an_unknown_metric_names_those_there_are(azure: Azure) -> None:
    monitor = azure.monitor("web", metrics=(AzureMetric(name="Requets", metric="requests", aggregation="total"),))
    with pytest.raises(SourceError, match=r"Requets.*Valid.*'Requests'"):
        monitor.read(DAY)


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
    for number in range(60):
        azure.keep(f"svc-{number}", "Requests", dict.fromkeys(minutes("2026-11-19T10:00", 2), 60.0))
    azure.gone.clear()
    monitor = azure.monitor(*(f"svc-{number}" for number in range(60)), metrics=REQUESTS, workers=1)
    pull = monitor.pull(DAY)
    ok = azure.monitor("svc-0", metrics=REQUESTS).read(DAY)
    assert len(ok) == 2
    azure.first = [(200, {}, {"values": []}), (403, {}, error("AuthorizationFailed", "No."))]
    first = next(pull)
    assert len(first.observations.findings) > 0
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
    import json

    from tests.sources.azure.server import metrics_batch

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


def test_a_source_shows_no_credential(azure: Azure) -> None:
    assert "Token" not in repr(azure.monitor("web"))
