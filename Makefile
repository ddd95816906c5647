# Every target sets up what it needs: `make demo` and `make test` are enough on a machine with make and Python 3.13.
# Paths are relative to this folder (make -C FOLDER), so that it may have spaces in its name.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.SUFFIXES:

# What `make run` and `make web` may be given. Recipes read them from the environment, not as shell text.
UPSTREAM ?=
HOST ?= 127.0.0.1
PORT ?= 8080
WEB_PORT ?= 8081
RULES ?= rules
DATA ?= data
OUT ?= evidence.zip
SECONDS ?= 60
ARGS ?=
export UPSTREAM HOST PORT WEB_PORT RULES DATA OUT SECONDS
# A caller's own Python paths would reach into .venv; without bytecode on disk, each process compiles all sources anew.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV PYTHONDONTWRITEBYTECODE

PY := .venv/bin/python

# confdir: a config.yaml in the usual folder would override every option given here.
GATEWAY = --mode "reverse:$$UPSTREAM" --listen-host "$$HOST" --listen-port "$$PORT" \
	--set confdir="$$DATA/mitmproxy" -s addons/gateway.py --set holdfast_rules="$$RULES" --set holdfast_data="$$DATA"

# mitmproxy wants one address; where rules/servers.yaml names servers, it is the first one's.
FIRST = UPSTREAM="$${UPSTREAM:-$$($(PY) scripts/rules.py servers --first --rules "$$RULES")}" || exit 1;

.PHONY: help
help: ## Say what every target does (this text)
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' Makefile
	@echo
	@echo "  Settings: make run UPSTREAM=http://127.0.0.1:3000 [HOST=127.0.0.1] [PORT=8080] [RULES=rules] [DATA=data]"
	@echo "            make web ... [WEB_PORT=8081]; make evidence [DATA=data] [OUT=evidence.zip];"
	@echo "            make demo, run, web, test, bench, evidence ARGS='...' pass further arguments; make fuzz, differential [SECONDS=60]; PYTHON=/path names an interpreter"

.PHONY: setup
setup: ## Create .venv from requirements.lock; does nothing when that is done
	@$(PY) -I scripts/setup_env.py --ready 2>/dev/null || \
		{ python=$$(/bin/sh scripts/find_python.sh) && "$$python" -I scripts/setup_env.py; }

.PHONY: demo
demo: setup ## Show the whole of it on real input: callers, masking, holds, evidence, tampering
	@$(PY) scripts/demo.py $(ARGS)

.PHONY: run
run: upstream setup ## Start the gateway before UPSTREAM, or before the servers of RULES, in mitmdump
	@$(FIRST) exec .venv/bin/mitmdump $(GATEWAY) $(ARGS)

.PHONY: web
web: upstream setup ## The same in mitmweb, its page on loopback only
	@$(FIRST) exec .venv/bin/mitmweb --web-host 127.0.0.1 --web-port "$$WEB_PORT" $(GATEWAY) $(ARGS)

.PHONY: test
test: setup ## Run every test, on up to four cores
	@$(PY) -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

.PHONY: foreign
foreign: setup ## Set up .foreign: verifiers by others, which the tests in tests/foreign ask
	@$(PY) scripts/foreign.py $(ARGS)

.PHONY: sdks
sdks: setup ## Set up .sdks: SDKs of LLM providers, which the tests in tests/llm use
	@$(PY) scripts/sdks.py $(ARGS)

.PHONY: fuzz
fuzz: setup ## Feed the parsers what a coverage-guided fuzzer makes up, SECONDS for each
	@$(PY) scripts/fuzz.py --seconds "$$SECONDS" $(ARGS)

.PHONY: differential
differential: setup ## Hold masking's findings against Presidio's own, over as many texts as SECONDS allow
	@$(PY) scripts/differential.py --seconds "$$SECONDS" $(ARGS)

.PHONY: clients
clients: setup ## Set up .clients: MCP clients and servers by others, which tests/clients lets talk through the gateway
	@$(PY) scripts/clients.py $(ARGS)

.PHONY: conformance
conformance: setup ## Run MCP's conformance suite directly and through the gateway, and compare
	@$(PY) scripts/conformance.py $(ARGS)

.PHONY: lint
lint: setup ## Check style and formatting with ruff
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .

.PHONY: types
types: setup ## Check types with mypy --strict
	@$(PY) -m mypy

.PHONY: check
check: lint types test ## Run lint, types and test, as CI does

.PHONY: bench
bench: setup ## Measure the gateway beside bare mitmdump, in one run
	@$(PY) scripts/bench.py $(ARGS)

.PHONY: evidence
evidence: setup ## Build an evidence package from DATA into OUT
	@$(PY) scripts/evidence.py build --data "$$DATA" --out "$$OUT" $(ARGS)

.PHONY: upstream
upstream:
	@case "$$UPSTREAM" in \
		http://*/?*|https://*/?*) \
			echo "UPSTREAM is scheme, host and port alone; the path comes from the client: make run UPSTREAM=http://127.0.0.1:3000" >&2; exit 1 ;; \
		http://?*|https://?*) ;; \
		"") grep -q '^ *- *id:' "$$RULES/servers.yaml" 2>/dev/null || { \
			echo "UPSTREAM, the MCP server's address, is missing: make run UPSTREAM=http://127.0.0.1:3000" >&2; \
			echo "Or name servers in $$RULES/servers.yaml" >&2; exit 1; } ;; \
		*) echo "UPSTREAM is no http:// or https:// address: make run UPSTREAM=http://127.0.0.1:3000" >&2; exit 1 ;; \
	esac
