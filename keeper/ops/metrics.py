"""Metrics for Prometheus. Only here money becomes a float, as metrics are floats."""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from ballast.steering.operations import OperationState
from ballast.units import WAD
from keeper.errors import KeeperError
from keeper.ops.facts import Facts, FundFacts
from keeper.ops.pulse import Pulse
from keeper.ops.server import Response
from keeper.ops.troubles import TroubleKind
from keeper.sending.journal import Status
from keeper.state import Phase
from keeper.view import View

FundGauge = tuple[str, str, Callable[[FundFacts], float | None]]


def _state(read: Callable[[View], float | None]) -> Callable[[FundFacts], float | None]:
    return lambda fund: None if fund.view is None else read(fund.view)


def _trading(read: Callable[[View], float]) -> Callable[[FundFacts], float | None]:
    return _state(lambda view: read(view) if view.state.phase is Phase.TRADING else None)


FUND_GAUGES: tuple[FundGauge, ...] = (
    ("ballast_look_timestamp_seconds", "When the fund was last looked at", lambda fund: fund.looked_at),
    ("ballast_silent_seconds", "Since the last look that succeeded", lambda fund: fund.silent_s),
    ("ballast_overdue_seconds", "For how long what is due has not been done, chain time", lambda fund: fund.overdue_s),
    ("ballast_head_number", "Block last looked at", _state(lambda view: view.head.number)),
    ("ballast_head_timestamp_seconds", "Time of the block last looked at", _state(lambda view: view.head.time)),
    ("ballast_base_fee_wei", "Base fee of the block last looked at", _state(lambda view: view.head.base_fee)),
    (
        "ballast_total_value_usd",
        "Value of all components that have a price",
        _state(lambda view: view.state.total_value / WAD),
    ),
    ("ballast_shares", "Supply of the index token", _state(lambda view: view.state.supply / WAD)),
    (
        "ballast_loss_budget_used_ratio",
        "Part of the month's loss budget that is used up",
        _trading(lambda view: view.state.progress.spent / (view.state.limits.loss_budget or 1)),
    ),
    (
        "ballast_residual_ratio",
        "What is still to be sold, as a share of NAV",
        _trading(lambda view: view.state.progress.surplus / WAD),
    ),
)


class Metrics(Collector):
    """An observer that counts looks and steps; at a scrape it reads all else from the facts. Has its own registry."""

    def __init__(self, facts: Callable[[], Facts]) -> None:
        self._facts = facts
        self._registry = CollectorRegistry()
        self._registry.register(self)
        self._looks = self._counter("ballast_looks", "Looks at a fund, failed ones too", "fund")
        self._steps = self._counter("ballast_steps", "Steps by what came of them", "fund", "action", "result")
        self._alerts = self._counter("ballast_alerts_sent", "Alerts delivered", "kind")
        self._pings = self._counter("ballast_pings", "Pings of the dead-man's switch", "signal", "result")
        failing = "1: the last ping did not reach the dead-man's switch"
        self._ping_failing = Gauge("ballast_ping_failing", failing, registry=self._registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self._registry)

    def looked(self, fund: str, view: View, pulse: Pulse) -> None:
        del view
        self._looks.labels(fund).inc()
        self._steps.labels(fund, pulse.action, pulse.state).inc()

    def failed(self, fund: str, error: KeeperError) -> None:
        self._looks.labels(fund).inc()
        self._steps.labels(fund, "none", type(error).__name__).inc()

    def alert_sent(self, kind: str) -> None:
        """Counts a delivered alert."""
        self._alerts.labels(kind).inc()

    def pinged(self, signal: str, result: str) -> None:
        """Counts a ping of the dead-man's switch and its result."""
        self._pings.labels(signal, result).inc()
        if signal != "start":  # not every service supports it
            self._ping_failing.set(result != "ok")

    def describe(self) -> list[Metric]:
        """Empty: otherwise the registry would read the facts at registration."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Metrics from the current facts."""
        facts = self._facts()
        for name, text, read in FUND_GAUGES:
            family = GaugeMetricFamily(name, text, labels=["fund"])
            for fund in facts.funds:
                value = read(fund)
                if value is not None:
                    family.add_metric([fund.name], value)
            yield family
        family = GaugeMetricFamily("ballast_timelock_operations", "Scheduled in the timelock", labels=["fund", "state"])
        for fund in facts.funds:
            if fund.view is not None and (outlook := fund.view.outlook) is not None:
                by_state = collections.Counter(one.operation.state(outlook.time) for one in outlook.open)
                for state in (OperationState.PENDING, OperationState.READY):
                    family.add_metric([fund.name, state.value], by_state[state])
        yield family
        yield GaugeMetricFamily("ballast_beat_age_seconds", "Since the loop's last sign of life", value=facts.beat_s)
        if facts.tick_s is not None:
            yield GaugeMetricFamily("ballast_tick_age_seconds", "Since the last tick ended", value=facts.tick_s)
        family = GaugeMetricFamily("ballast_trouble", "1: it holds", labels=["kind"])
        for kind in get_args(TroubleKind):
            family.add_metric([kind], int(any(trouble.kind == kind for trouble in facts.troubles)))
        yield family
        defects: collections.Counter[tuple[str, str]] = collections.Counter()
        for defect in facts.defects:
            defects[defect.where, defect.error] += defect.count
        yield _counters("ballast_unforeseen_errors", "Errors that nobody foresaw", ("where", "error"), defects)
        if facts.balance is not None:
            yield GaugeMetricFamily("ballast_account_balance_wei", "The account's ether", value=facts.balance)
        yield CounterMetricFamily("ballast_fees_paid_wei", "What transactions have cost", value=facts.fees_paid)
        by_status = collections.Counter(entry.status for entry in facts.transactions)
        family = GaugeMetricFamily("ballast_transactions", "Transactions of the journal", labels=["status"])
        for status in Status:
            family.add_metric([status.value], by_status[status])
        yield family
        family = GaugeMetricFamily("ballast_endpoint_healthy", "1: in use, 0: put aside", labels=["endpoint"])
        for endpoint in facts.endpoints:
            family.add_metric([endpoint.name], int(endpoint.healthy))
        yield family
        asked = {(endpoint.name,): endpoint.requests for endpoint in facts.endpoints}
        yield _counters("ballast_endpoint_requests", "Asked of an endpoint", ("endpoint",), asked)
        failed = {(each.name, reason): count for each in facts.endpoints for reason, count in each.errors.items()}
        yield _counters("ballast_endpoint_errors", "Failed at an endpoint", ("endpoint", "reason"), failed)

    def response(self) -> Response:
        """All metrics in Prometheus' text format."""
        return Response(200, CONTENT_TYPE_LATEST, generate_latest(self._registry))


def _counters(name: str, text: str, labels: Sequence[str], values: Mapping[Any, int]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family
