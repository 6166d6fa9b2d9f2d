# Two commands on a fresh machine: `make up`, and `make destroy` when you are done. `make help` lists the rest.
STACK ?= sim
ARGS ?=
PYTHON ?= python3
REFRESH ?=
DRILL ?=
BASE ?= HEAD

TOOLCHAIN = .venv/bin/python -m toolchain
# The folders that exist of those named.
CODE = $(wildcard __main__.py kafka_ha.py plugin components policies drills toolchain tests)
TESTS = $(wildcard tests/unit tests/policies tests/engine toolchain/standins/tests)
CLOUDS = eks gke aks

.DEFAULT_GOAL := help
.PHONY: help setup doctor env up preview review drift destroy status drill drills lint workflows test clouds audit docs live testbed bench bench-live clean venv

help: ## list what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/[$$][$$]/$$/' | \
		awk -F ':.*## ' '{ printf "  make %-10s %s\n", $$1, $$2 }'
	@echo "  STACK=sim|dev|prod (now $(STACK)); ARGS='…' goes to pulumi, pytest, the drill or the benchmark"

venv:
	@$(PYTHON) toolchain/bootstrap.py

setup: venv ## get the tools that STACK needs (REFRESH=1: try the official releases again)
	@$(TOOLCHAIN) setup --stack $(STACK) $(if $(REFRESH),--refresh)

doctor: venv ## show every tool, where it comes from, what is missing and its cure
	@$(TOOLCHAIN) doctor

env: venv ## print what gives a shell the tools and Pulumi's variables: eval "$$(make -s env)"
	@$(TOOLCHAIN) env --stack $(STACK)

up: venv ## bring STACK up: prepares all and calls pulumi up
	@$(TOOLCHAIN) up $(STACK) $(ARGS)

preview: venv ## show what up would do
	@$(TOOLCHAIN) preview $(STACK) $(ARGS)

review: venv ## preview every stack without a cluster, and show what changed since the commit BASE, as a pull request does
	@$(TOOLCHAIN) review --base "$(BASE)" $(ARGS)

drift: venv ## fail where STACK is not what was deployed, and show the difference; changes nothing
	@$(TOOLCHAIN) preview $(STACK) --refresh --diff --expect-no-changes --non-interactive $(ARGS)

destroy: venv ## destroy STACK; nothing stays behind
	@$(TOOLCHAIN) destroy $(STACK)

status: venv ## show STACK's brokers, partitions, voters, disks and budgets
	@eval "$$($(TOOLCHAIN) env --stack $(STACK))" && .venv/bin/python -m drills status --stack $(STACK) $(ARGS)

drill: venv ## break DRILL=name (or all) on STACK's Kafka on purpose, and prove that nothing is lost
	@test -n "$(DRILL)" || { echo "name a drill: make drill DRILL=drain-leader STACK=dev; make drills lists them" >&2; exit 2; }
	@eval "$$($(TOOLCHAIN) env --stack $(STACK))" && .venv/bin/python -m drills run $(DRILL) --stack $(STACK) $(ARGS)

drills: venv ## list the drills, with what must hold in each
	@.venv/bin/python -m drills list

lint: venv ## check style, types and layers
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy $(CODE)
	@for program in examples/*/__main__.py; do .venv/bin/mypy --no-error-summary $$program || exit 1; done
	.venv/bin/lint-imports

workflows: ## check .github/workflows with actionlint, built by Go
	@command -v go >/dev/null || { echo "workflows: skipped: there is no go to build actionlint with"; exit 0; }; \
		go run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12 -shellcheck= -pyflakes=

test: ## run all tests that need no Docker
	@$(MAKE) --no-print-directory setup STACK=sim
	@$(TOOLCHAIN) setup --stack test || echo "test: skipped: what needs promtool or pulumi-language-yaml"
	@for dir in tests/unit tests/policies tests/engine toolchain/standins/tests; do \
		test -d $$dir || echo "test: skipped: there is no $$dir in this checkout"; done
	@eval "$$($(TOOLCHAIN) env --stack sim)" && .venv/bin/python -m pytest $(TESTS) $(ARGS)

# An environment of its own: Pulumi would fetch the plugins of all packages that it finds in .venv, for each stack.
clouds: venv ## check eks, gke and aks against their packages, 0.8 GB in .tools/clouds; CLOUDS=eks for one
	.venv/bin/python -m venv .tools/clouds
	.tools/clouds/bin/python -m pip install --quiet --disable-pip-version-check \
		-r requirements.txt -r requirements-dev.txt $(CLOUDS:%=-r requirements-%.txt)
	.tools/clouds/bin/mypy components/clouds
	.tools/clouds/bin/python -m pytest tests/unit/test_clouds.py $(ARGS)

audit: venv ## look for known weaknesses in what is pinned, and for secrets in what is committed
	@.venv/bin/python -m venv .tools/audit
	@.tools/audit/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements-audit.txt
	git ls-files -z | xargs -0 .tools/audit/bin/detect-secrets-hook --baseline .secrets.baseline
	@for file in requirements*.txt; do \
		told=$$(.tools/audit/bin/pip-audit --strict --progress-spinner off --disable-pip --no-deps -r $$file 2>&1) && echo "$$file: $$told" && continue; \
		case $$told in *"known vulnerabilit"*) echo "$$file: $$told" >&2; exit 1 ;; esac; \
		echo "audit: skipped: $$file: this index tells of no weaknesses ($$(echo "$$told" | tail -n 1))"; done

docs: venv ## build the documentation as a site into .site
	.venv/bin/python -m venv .tools/docs
	.tools/docs/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements-docs.txt
	.tools/docs/bin/mkdocs build --strict --quiet

live: venv ## run the tests on a real k3d cluster with a real Kafka (Docker, or Debian as root)
	@tests/live/run.sh $(ARGS)

testbed: venv ## make this machine able to run STACK=dev without an image registry (Debian, root)
	@tests/testbed/prepare.sh $(ARGS)

bench: ## measure the program against a straight-line one; results to docs/benchmarks.md
	@$(MAKE) --no-print-directory setup STACK=sim
	@eval "$$($(TOOLCHAIN) env --stack sim)" && .venv/bin/python -m tests.bench $(ARGS)

bench-live: venv ## measure failover on a real k3d beside a plain manifest, 2 hours; results to docs/failover.md
	@tests/live/run.sh --bench $(ARGS)

clean: ## remove what is generated, except the state of stacks and the shared cache
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
