"""Which series plans which service, and what is said about the rest."""

from __future__ import annotations

import numpy as np
import pytest

from capacity.config import Account, Budget, Config, Goal, PriceSettings, Rate, Service
from capacity.errors import ConfigError, GoalUnreachable, PlanError
from capacity.findings import Finding
from capacity.planning import plan
from tests.planning.inputs import BARE, as_they_are, cpu_forecast, forecast_of, plain, planned


def test_one_service_and_one_series_need_no_common_name() -> None:
    flat = Finding("value", "cpu", "flat", "REVIEW", "flat for a day")
    forecast = forecast_of({("value", "cpu"): [[4.0]]}, findings=(flat,))
    result = planned(forecast, plain("checkout"), goal=BARE)
    assert result.frame["service"].tolist() == ["checkout"]
    assert result.of("checkout")["tasks"].tolist() == [4]
    assert [f.service for f in result.findings] == ["checkout"]


def test_in_a_fleet_names_decide_even_when_there_is_only_one() -> None:
    with pytest.raises(PlanError, match="checkout: no usable series of it is forecast") as error:
        planned(cpu_forecast([[4.0]], "cart"), [plain("checkout")])
    assert "Forecast are: cart." in str(error.value)


def test_one_service_is_found_by_name_among_many_series() -> None:
    forecast = forecast_of({("a", "cpu"): [[4.0]], ("b", "cpu"): [[9.0]]})
    result = planned(forecast, plain("b"), goal=BARE)
    assert result.frame["tasks"].tolist() == [9]
    assert [(f.service, f.check, f.status) for f in result.findings] == [("a", "service", "UNKNOWN")]


def test_a_service_without_a_series_is_listed_and_asks_for_completion() -> None:
    result = planned(cpu_forecast([[4.0]], "cart"), [plain("cart"), plain("checkout", owner="Ann")])
    assert [s.name for s in result.services] == ["cart"]
    (failed,) = [f for f in result.findings if f.status == "FAIL"]
    assert failed.service == "checkout"
    (decision,) = [d for d in result.decisions if d.kind == "fix_data"]
    assert decision.sentence == "Complete `checkout`, which is not planned: no usable series of it is forecast."
    assert decision.owner == "Ann"


def test_requests_without_a_capacity_are_unreachable_alone_and_a_finding_in_a_fleet() -> None:
    forecast = forecast_of({("a", "cpu"): [[4.0]], ("b", "requests"): [[9.0]]})
    with pytest.raises(GoalUnreachable, match=r"b: its requests are forecast.*state requests_per_second_per_task"):
        planned(forecast, plain("b"))
    result = planned(forecast, [plain("a"), plain("b")])
    assert [f.service for f in result.findings if f.status == "FAIL"] == ["b"]


def test_requests_without_a_capacity_are_left_aside_when_cpu_can_size_the_service() -> None:
    result = planned(forecast_of({("a", "requests"): [[900.0]], ("a", "cpu"): [[4.0]]}), plain("a"), goal=BARE)
    assert result.frame[["tasks", "load_bound_by"]].iloc[0].tolist() == [4, "cpu"]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -3.0])
def test_a_series_with_impossible_values_is_not_used_and_is_named(bad: float) -> None:
    forecast = forecast_of({("a", "cpu"): [[4.0, bad]], ("b", "cpu"): [[1.0, 2.0]]})
    result = planned(forecast, [plain("a"), plain("b")])
    assert [s.name for s in result.services] == ["b"]
    assert {f.metric for f in result.findings if f.service == "a" and f.status == "FAIL"} == {"cpu", ""}
    with pytest.raises(PlanError):
        planned(forecast, plain("a"))


def test_two_services_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="2 services are called 'web'"):
        planned(cpu_forecast([[1.0]]), [plain("web"), plain("web", cluster="other")])


def test_no_service_at_all_is_refused() -> None:
    empty: tuple[list[Service], Config] = ([], Config())
    for nothing in empty:
        with pytest.raises(ConfigError, match="no service to plan"):
            planned(cpu_forecast([[1.0]]), nothing)


def test_what_is_no_service_is_refused() -> None:
    with pytest.raises(ConfigError, match="'web' is not a Service"):
        planned(cpu_forecast([[1.0]]), ["web"])  # type: ignore[list-item]


def test_two_accounts_of_one_region_are_refused() -> None:
    with pytest.raises(ConfigError, match="2 accounts for region 'us-east-1'"):
        planned(cpu_forecast([[1.0]]), plain(), accounts=(Account(), Account()))


def test_one_account_and_one_budget_need_no_list() -> None:
    one, fitting = Account(fargate_vcpu_quota=7), Budget(name="all", usd_per_month=5)
    a, b = (
        plan(cpu_forecast([[4.0]]), plain(), accounts=accounts, budgets=budgets)
        for accounts, budgets in ((one, fitting), ([one], [fitting]))
    )
    assert a.accounts == b.accounts == (one,)
    assert a.decisions == b.decisions
    with pytest.raises(ConfigError, match="'us-east-1' is not an Account"):
        plan(cpu_forecast([[4.0]]), plain(), accounts=["us-east-1"])  # type: ignore[list-item]


def test_a_config_brings_goal_prices_and_accounts_and_arguments_win() -> None:
    config = Config(
        service=(plain("web"),),
        goal=Goal(level=0.5, survive_zone_loss=False),
        prices=PriceSettings(rate=(Rate(region="us-east-1", vcpu=2, memory_gb=0),)),
        account=(Account(fargate_vcpu_quota=7),),
    )
    forecast = cpu_forecast([[1.0], [2.0], [9.0]])
    said = planned(forecast, config)
    assert said.goal.level == 0.5
    assert said.frame["tasks"].tolist() == [2]
    assert said.rates[0].vcpu == 2
    assert said.limits["value"].tolist() == [5000.0, 7.0]
    won = planned(forecast, config, goal=Goal(level=0.9), accounts=(Account(fargate_vcpu_quota=50),))
    assert won.goal.level == 0.9
    assert won.limits["value"].tolist() == [5000.0, 50.0]


def test_peaks_of_another_shape_are_refused() -> None:
    with pytest.raises(PlanError, match=r"peaks have shape \(1, 1\)"):
        plan(cpu_forecast([[1.0, 2.0]]), plain(), peaks=lambda forecast: np.ones((1, 1)))


def test_services_may_come_from_any_iterable() -> None:
    forecast = forecast_of({("a", "cpu"): [[4.0]], ("b", "cpu"): [[9.0]]})
    result = plan(forecast, (Service(name=name) for name in "ab"), peaks=as_they_are)
    assert [s.name for s in result.services] == ["a", "b"]
