# `make help` lists the targets. Needs Python 3.11, Node 20 or later and npm; everything else is put inside this folder.

SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= python3.11
VENV := .venv
PY := $(VENV)/bin/python
UV_VERSION := 0.13.9

# What Ape and the local chain need, for every recipe.
export PATH := $(CURDIR)/$(VENV)/bin:$(CURDIR)/.tools/anvil/bin:$(PATH)
export SOLCX_BINARY_PATH := $(CURDIR)/.tools/solc
export APE_DATA_FOLDER := $(CURDIR)/.ape
export PYTHONPATH := $(CURDIR)
# Where it is set, every process compiles every module anew: hundreds of processes here, seconds each.
export PYTHONDONTWRITEBYTECODE :=

MONTH ?= data/months/dpi-2021-04.json
RESERVES ?=
RULES ?=
TESTS ?=
POSITIONS ?=
ARGS ?=
# Not PATH: that is where the shell finds programs.
ONLY ?=
CALLS ?= 1000000
SEED ?= 1
PORT ?= 8545
SPEED ?= 600
DATA ?= data/year/invented.csv
LINTED := $(wildcard ballast examples keeper lab sandbox scripts tools tests)

.PHONY: help setup stamps setup-tests compile lint types style unit test chromium test-page invariants mutants chaos nightly audit release prove demo replay year years localnet fund sandbox page bench solidity mutation coverage lock clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

setup: ## Install everything into this folder
	@$(MAKE) --no-print-directory --jobs 4 stamps

stamps: .tools/python.stamp .tools/node.stamp .tools/foundry.stamp .tools/solc.stamp
	@:

compile: setup ## Compile the contracts, if they have changed
	@$(PY) tools/compile.py

lint: setup ## ruff, mypy --strict, tsc --strict, who may import whom, forge fmt, solhint
	@$(MAKE) --no-print-directory --jobs 2 --keep-going types style

types:
	@mypy $(LINTED)

style:
	@ruff check $(LINTED)
	@ruff format --check $(LINTED)
	@node_modules/.bin/tsc --noEmit --strict -p web
	@lint-imports --no-logo --no-cache
	@FOUNDRY_CONFIG=lab/fuzz/foundry.toml .tools/foundry/bin/forge fmt --check contracts lab/fuzz lab/prove tests/solidity
	@node_modules/.bin/solhint --disc --noPoster --max-warnings 0 'contracts/**/*.sol'

unit: compile ## The tests that need no chain: [ARGS="-k word"]
	@$(PY) tools/run_tests.py tests/unit $(ARGS)

setup-tests:
	@$(MAKE) --no-print-directory --jobs 4 stamps .tools/set-v2.stamp .tools/release.stamp

test: setup-tests ## Lint, all tests, those in Solidity, a short fuzz run; ONLY=FILES: these tests alone (not PATH: that is the shell's); ARGS: for pytest, no fuzz
	@$(if $(ONLY),,tools/step.sh lint $(MAKE) --no-print-directory lint)
	@tools/step.sh compile $(MAKE) --no-print-directory compile
	@$(PY) tools/run_tests.py $(ONLY) $(ARGS)
	@$(if $(ONLY)$(ARGS),,tools/step.sh solidity $(PY) -m lab.solidity)
	@$(if $(ONLY)$(ARGS),,tools/step.sh fuzz $(PY) -m lab.fuzz run --calls 60000)

chromium:
	@tools/install_chromium.sh

test-page: compile chromium ## The keeper's status page and the holders' page in a headless Chromium, which root gets installed; ARGS as for test
	@tools/step.sh page $(PY) tools/run_tests.py tests/browser $(ARGS)

invariants: compile ## Fuzz the invariants with forge: [CALLS=N] [SEED=N]
	@$(PY) -m lab.fuzz run --calls $(CALLS) --seed $(SEED)

mutants: setup ## Break the contracts on purpose and see that an invariant notices: [ARGS=names]
	@$(PY) -m lab.fuzz mutants $(ARGS)

chaos: compile ## Whole months of the keeper under faults, and random combinations: [ARGS="NAMES --random N --seed N"]
	@$(PY) -m lab.chaos run $(or $(ARGS),all --random 100)

nightly: compile .tools/set-v2.stamp .tools/prove.stamp ## All long runs one after the other, and a table of them: [ARGS="chaos mutants"]
	@$(PY) -m lab.nightly $(ARGS)

audit: setup .tools/slither.stamp .tools/wake.stamp .tools/semgrep.stamp ## Slither, its check of ERCs, Wake, semgrep: what tools/audit/triage.yaml does not explain fails: [ARGS=names] [RULES=FOLDER]
	@$(PY) -m tools.audit $(if $(RULES),--rules $(RULES)) $(ARGS)

release: setup .tools/release.stamp ## The release of this commit, into out/release: [ARGS=--help]
	@$(PY) -m tools.release $(ARGS)

prove: setup .tools/prove.stamp ## Prove properties of the contracts with halmos, and broken variants wrong: [ARGS="--quick | --stale | NAMES --jobs N --again"]
	@$(PY) -m lab.prove run $(ARGS)

demo: compile ## One fund, one month, from deployment to redemption
	@$(PY) -m lab.replay demo

replay: compile ## Carry a fund through a published month: MONTH=FILE [RESERVES=CSV] [POSITIONS=CSV]
	@$(PY) -m lab.replay month --month $(MONTH) $(if $(RESERVES),--reserves $(RESERVES)) \
		$(if $(POSITIONS),--positions $(POSITIONS))

year: compile ## Carry a fund through twelve months from 2021-01: [DATA=CSV] [RESERVES=CSV] [ARGS=--help]
	@$(PY) -m lab.replay.year --data $(DATA) $(if $(RESERVES),--reserves $(RESERVES)) $(ARGS)

years: compile ## Carry funds through years in memory, and some of the months on a chain: [DATA=CSV] [ARGS=--help]
	@$(PY) -m lab.replay.years --data $(DATA) $(ARGS)

localnet: setup ## Run a local mainnet until Ctrl-C: [MONTH=FILE] [RESERVES=CSV] [POSITIONS=CSV] [PORT=N]
	@$(PY) -m lab.localnet up --month $(MONTH) $(if $(RESERVES),--reserves $(RESERVES)) \
		$(if $(POSITIONS),--positions $(POSITIONS)) --port $(PORT)

fund: compile ## Run a fund on a fork of the local mainnet until Ctrl-C, for a keeper of yours: [MONTH=FILE] [SPEED=N]
	@$(PY) -m lab.replay fund --month $(MONTH) --speed $(SPEED)

sandbox: compile ## A sandbox as a user makes it, and a short month, on nodes dressed as Sepolia; [ARGS="--node anvil --stops"]
	@$(PY) -m lab.sandbox run $(ARGS)

page: setup ## The holders' page on the local fund of `make fund`, with a funded test wallet, until Ctrl-C: [ARGS="--port N"]
	@$(PY) -m tools.page open $(ARGS)

bench: compile .tools/set-v2.stamp ## Gas and published months beside Set Protocol V2: [ARGS="--check | --months LABEL | --keeper"]
	@$(PY) -m lab.bench $(ARGS)

solidity: compile ## The tests of the core contracts in Solidity, on the deployed code: [ARGS=folders]
	@$(PY) -m lab.solidity $(ARGS)

mutation: setup ## Change the core contracts, one place at a time, and see whether those tests notice: [ARGS="FILES --sample N"]
	@$(PY) -m lab.mutation $(ARGS)

coverage: compile ## Lines and branches of the deployed code that tests on a chain reach: [TESTS=files, added to the others] [ARGS=--left]
	@$(PY) -m tools.coverage $(TESTS) $(ARGS)

lock: .tools/python.stamp ## Resolve requirements.in and package.json again
	@uv pip compile --quiet --python $(PY) --no-emit-index-url --no-emit-find-links --no-header \
		-o requirements.lock requirements.in
	@uv pip compile --quiet --python $(PY) --no-emit-index-url --no-emit-find-links --no-header \
		--constraint requirements.lock -o requirements-keeper.lock pyproject.toml
	@for tool in tools/release tools/audit/slither tools/audit/wake tools/audit/semgrep lab/prove/halmos; do \
		uv pip compile --quiet --python $(PY) --no-emit-index-url --no-emit-find-links --no-header \
			-o $$tool.lock $$tool.in || exit 1; done
	@npm install --package-lock-only --ignore-scripts

clean: ## Remove everything that make and the tests made
	rm -rf .venv .tools .run .ape .build .cache contracts/.cache node_modules .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

# Stamps: made again when what they depend on is newer.

.tools/python.stamp: requirements.lock
	@tools/check_versions.sh "$(PYTHON)"
	@mkdir -p .tools
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@uv pip sync --quiet --compile-bytecode --python $(PY) requirements.lock
	@touch $@

.tools/node.stamp: package.json package-lock.json .npmrc
	@tools/check_versions.sh "$(PYTHON)"
	@mkdir -p .tools
	@npm ci --ignore-scripts --silent
	@touch $@

.tools/foundry.stamp: tools/install_foundry.sh
	@tools/check_versions.sh "$(PYTHON)"
	@mkdir -p .tools
	@tools/install_foundry.sh
	@touch $@

.tools/solc.stamp: tools/install_solc.sh .tools/node.stamp
	@tools/install_solc.sh
	@touch $@

# Each of these has a Python of its own: their dependencies and Ape's do not fit together.
.tools/slither.stamp .tools/wake.stamp .tools/semgrep.stamp: .tools/%.stamp: tools/audit/%.lock .tools/python.stamp
	@uv venv --quiet --clear --python $(PY) .tools/$*
	@uv pip sync --quiet --python .tools/$*/bin/python $<
	@touch $@

.tools/release.stamp: tools/release.lock .tools/python.stamp
	@uv venv --quiet --clear --python $(PY) .tools/release
	@uv pip sync --quiet --python .tools/release/bin/python $<
	@touch $@

.tools/prove.stamp: lab/prove/halmos.lock .tools/python.stamp
	@uv venv --quiet --clear --python $(PY) .tools/prove
	@uv pip sync --quiet --compile-bytecode --python .tools/prove/bin/python $<
	@touch $@

.tools/set-v2.stamp: tools/install_set_v2.sh
	@mkdir -p .tools
	@tools/install_set_v2.sh
	@touch $@
