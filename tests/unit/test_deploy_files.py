"""What installs and watches a keeper without Ape: its own lock file, units, image, alert rules, dashboard."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from ballast.build import ROOT
from keeper.__main__ import cli
from keeper.look.outlook import Outlook
from keeper.look.rpc import EndpointStatus
from keeper.ops.metrics import Metrics
from keeper.ops.troubles import Defect
from keeper.settings import PREFIX, Secrets, Settings
from tests.unit.keeper.ops.facts import facts_of, fund_facts, pulse_of, view_of
from tests.unit.keeper.simulated import Simulated, load, trading

DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "ballast-keeper.service"
FAILED = DEPLOY / "ballast-keeper-failed@.service"
RULES = DEPLOY / "prometheus" / "alerts.yaml"
DASHBOARD = DEPLOY / "grafana" / "dashboard.json"
OWN = ("keeper", "ballast")


@pytest.fixture(scope="module")
def april() -> Simulated:
    return trading(*load())


def imported(file: Path) -> Iterator[str]:
    """Modules that a file names in imports, wherever they stand in it."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            assert node.level == 0, f"{file}: a relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def closure() -> tuple[set[Path], set[str]]:
    """The files that the keeper is made of, and the top-level modules of others that they import."""
    todo, files, others = set((ROOT / "keeper").rglob("*.py")), set[Path](), set[str]()
    while todo:
        file = todo.pop()
        files.add(file)
        for name in imported(file):
            top = name.split(".")[0]
            if top in OWN:
                path = ROOT.joinpath(*name.split("."))
                found = {at for at in (path.with_suffix(".py"), path / "__init__.py") if at.exists()}
                todo |= found - files
            elif top not in sys.stdlib_module_names:
                others.add(top)
    return files, others


def pinned(name: str) -> dict[str, str]:
    """Versions in a lock file by normalized name."""
    found = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)$", (ROOT / name).read_text(), re.M)
    return {normal(distribution): version for distribution, version in found}


def wanted() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return {normal(name) for name in project["dependencies"]}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name.split("[", maxsplit=1)[0]).lower()


def test_the_keeper_imports_what_its_own_requirements_name_and_nothing_else() -> None:
    files, others = closure()
    assert {file.relative_to(ROOT).parts[0] for file in files} == set(OWN)
    by_module = packages_distributions()
    needed = {normal(by_module[module][0]) for module in others}
    assert needed == wanted()
    assert needed <= pinned("requirements-keeper.lock").keys()


def test_one_version_of_everything() -> None:
    keeper, whole = pinned("requirements-keeper.lock"), pinned("requirements.lock")
    assert len(keeper) > len(wanted())
    assert {name: whole.get(name) for name in keeper} == keeper
    assert not any("ape" in name.split("-") for name in keeper)


def test_the_image_takes_the_released_keeper_and_nothing_else() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    assert re.findall(r"^COPY (.+) \./$", text, re.M) == ["requirements-keeper.lock ballast_keeper-*.whl"]
    assert len(re.findall(r"^(?:COPY|ADD) ", text, re.M)) == 1
    assert re.search(r"^FROM python:3\.11\.\d+-slim-\w+$", text, re.M)
    assert re.search(r"^USER 10001$", text, re.M)
    check = re.search(r"CMD (\[.*/health.*\])$", text, re.M)
    assert check is not None
    program = json.loads(check[1])
    compile(program[2], "health check", "exec")
    entry = re.search(r'^ENTRYPOINT \["(.+)"\]$', text, re.M)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert entry is not None and entry[1] in project["scripts"]


@pytest.mark.parametrize("file", [UNIT.name, "keeper.env.example", "Dockerfile"])
def test_only_variables_that_there_are(file: str) -> None:
    known = {PREFIX + name.upper() for name in (*Settings.model_fields, *Secrets.model_fields)}
    named = set(re.findall(r"\b(BALLAST_[A-Z_]+)=", (DEPLOY / file).read_text()))
    assert named and named <= known


@pytest.mark.parametrize("unit", [UNIT, FAILED], ids=lambda unit: unit.name)
def test_the_units_are_such(unit: Path, tmp_path: Path) -> None:
    verify = shutil.which("systemd-analyze")
    if verify is None:
        pytest.skip("systemd-analyze is not installed")
    for file in (UNIT, FAILED):  # one names the other
        text = file.read_text().replace("/opt/ballast/venv/bin/python", sys.executable)
        (tmp_path / file.name).write_text(text)
    named = tmp_path / unit.name
    if "@" in unit.name:
        named = tmp_path / unit.name.replace("@", "@ballast-keeper")
        named.symlink_to(tmp_path / unit.name)
    done = subprocess.run([verify, "verify", str(named)], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    safe = subprocess.run(
        [verify, "security", "--offline=true", "--threshold=20", str(named)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert safe.returncode == 0, safe.stdout[-300:]  # exposure at most 2.0 of 10


def test_a_unit_that_fails_for_good_is_told_of() -> None:
    unit, failed = UNIT.read_text(), FAILED.read_text()
    assert f"OnFailure={FAILED.name.replace('@', '@%n')}\n" in unit
    # A crash loop ends in failure: so many starts take less than the interval.
    limit = {name: int(value) for name, value in re.findall(r"^(StartLimit\w+|RestartSec)=(\d+)$", unit, re.M)}
    assert 0 < limit["StartLimitBurst"] * (limit["RestartSec"] + 20) < limit["StartLimitIntervalSec"]
    assert re.search(r"^WatchdogSec=\d+$", unit, re.M) and re.search(r"^Restart=on-failure$", unit, re.M)
    command = re.search(r"-m keeper (\w+) ", failed)
    assert command is not None and command[1] in cli.commands


LABELS_OF_SCRAPE = {"instance", "job"}


@pytest.fixture(scope="module")
def exposed(april: Simulated) -> dict[str, set[str]]:
    """Each metric that a keeper has, and its labels."""
    endpoint = EndpointStatus("node.example", True, "", 1, 1, 1, {"time-out": 1})
    defect = Defect("fund", "KeyError", "keeper.view:1", 1, 1, 1)
    fund = fund_facts(april)
    fund = replace(fund, view=replace(view_of(april), outlook=Outlook(1, 1)))
    metrics = Metrics(lambda: facts_of(fund, tick_s=1.0, endpoints=(endpoint,), defects=(defect,)))
    metrics.looked("fund", view_of(april), pulse_of(april.state))
    metrics.alert_sent("low_balance")
    metrics.pinged("success", "ok")
    found: dict[str, set[str]] = {"up": set()}
    for family in text_string_to_metric_families(metrics.response().body.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def check_expression(expression: str, shown: str, exposed: dict[str, set[str]]) -> None:
    """Its metrics exist, and so do the labels that it and what is shown of it name."""
    names = set(re.findall(r"\b(ballast_\w+|up)\b", re.sub(r'"[^"]*"', '""', expression)))
    assert names and names <= exposed.keys(), expression
    known = LABELS_OF_SCRAPE.union(*(exposed[name] for name in names))
    for name, matchers in re.findall(r"\b(ballast_\w+|up)\{([^}]*)\}", expression):
        assert set(re.findall(r"(\w+)\s*[=!]~?=?\"", matchers)) <= exposed[name] | LABELS_OF_SCRAPE, expression
    grouped = re.findall(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)", expression)
    asked = {label.strip() for group in grouped for label in group.split(",")}
    asked |= set(re.findall(r"\$labels\.(\w+)", shown)) | set(re.findall(r"\{\{\s*(\w+)\s*\}\}", shown))
    assert asked <= known, f"{expression}: {asked - known}"


def test_alert_rules(exposed: dict[str, set[str]]) -> None:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    manual = (ROOT / "docs/operations/watch.md").read_text()
    names = [rule["alert"] for rule in group["rules"]]
    assert len(set(names)) == len(names) > 10
    for rule in group["rules"]:
        assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("critical", "warning")
        said = rule["annotations"]
        assert said["summary"].endswith(".")
        check_expression(rule["expr"], " ".join(said.values()), exposed)
        anchor = rule["alert"].lower()
        assert said["runbook_url"] == f"docs/operations/watch.md#{anchor}"
        assert f'<a id="{anchor}"></a>`{rule["alert"]}`' in manual


def test_what_prometheus_says_of_the_rules() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    done = subprocess.run(
        [promtool, "check", "rules", str(RULES)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_dashboard(exposed: dict[str, set[str]]) -> None:
    board = json.loads(DASHBOARD.read_text())
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    used: set[str] = set()
    for panel in panels:
        assert panel["title"] and panel["targets"]
        for target in panel["targets"]:
            check_expression(target["expr"], target["legendFormat"], exposed)
            used |= set(re.findall(r"\bballast_\w+", target["expr"]))
    for variable in board["templating"]["list"]:
        asked = re.fullmatch(r"label_values\((\w+)(?:\{[^}]*\})?, (\w+)\)", variable.get("definition", ""))
        assert asked is None or asked[2] in exposed[asked[1]] | LABELS_OF_SCRAPE
    # All that a keeper tells can be seen, save for what is shown in another form.
    hidden = {name for name in exposed if name.endswith("_created")} | {
        "up",
        "ballast_look_timestamp_seconds",
        "ballast_head_number",
        "ballast_beat_age_seconds",
        "ballast_ping_failing",
    }
    assert exposed.keys() - used == hidden
