# `make dev` tries the service on this machine; `make test` runs every test that can run on it.
PYTHON ?= python3
VENV = .venv
export PYTHONPATH = layers/coze_sts
UV = $(VENV)/bin/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-emit-index-url

.PHONY: deploy smoke dev test engines site leak-scan lint lock simulate mutants simulate-day bench bench-flame bench-herd bench-imports bench-memory bench-picture bench-tables attack-crowd audit doctor

dev: $(VENV)/ready
	@$(VENV)/bin/python -m tests.local

# ENV=… names a part of samconfig.toml, for building too: that is where the processor is chosen. The
# file's digest in the functions' descriptions makes a new version of them where nothing but a
# parameter changed, which SAM does not see.
deploy: ENV ?= dev
deploy:
	sam build --config-env $(ENV)
	@digest=$$($(PYTHON) -c 'import hashlib, pathlib; print(hashlib.sha256(pathlib.Path("samconfig.toml").read_bytes()).hexdigest()[:12])') && \
	sed -e "s|^\( *Description: Every route but one\)\.$$|\1. Settings $$digest|" \
	    -e "s|^\( *Description: The route /backend/assertion\)\.$$|\1. Settings $$digest|" \
	    .aws-sam/build/template.yaml > .aws-sam/build/stamped.yaml
	sam deploy --template-file .aws-sam/build/stamped.yaml --config-env $(ENV)

# ENDPOINT=… is the output ApiEndpoint, ORIGIN=… one of AllowedOrigins.
smoke: $(VENV)/ready
	@$(VENV)/bin/python -m tests.smoke "$$ENDPOINT" $(if $(ORIGIN),--origin "$$ORIGIN")

test: $(VENV)/ready
	$(VENV)/bin/pytest

# What some tests need beyond Python: packages of npm, Lambda's runtime client, and what drives a
# browser. Chromium and Python 3.13 are the system's.
engines: $(VENV)/ready
	! python3.13 -c '' 2>/dev/null || $(MAKE) --no-print-directory $(VENV)/bench/ready
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement tests/browser/requirements.txt
	for folder in site tests/clients tests/engines tests/recipes; do npm ci --silent --prefix $$folder || exit 1; done

# The browser helper, out of its source.
site:
	npm ci --silent --prefix site
	npm run --silent build --prefix site

# DIR=… is the folder that the site publishes.
leak-scan:
	@$(PYTHON) -I leak_scan/scan.py -- "$$DIR"

lint: $(VENV)/ready
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/cfn-lint --regions us-east-1 cn-north-1 cn-northwest-1 -- template.yaml

# SEED=… repeats a run, RUNS=… sets how many.
simulate: $(VENV)/ready
	$(VENV)/bin/python -m tests.simulation $(if $(RUNS),--runs $(RUNS)) $(if $(SEED),--seed $(SEED))

mutants: $(VENV)/ready
	$(VENV)/bin/python -m tests.simulation --mutants

simulate-day: $(VENV)/ready
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement tests/day/requirements.txt
	$(VENV)/bin/python -m tests.day $(if $(SEED),--seed $(SEED))

bench-herd: $(VENV)/ready
	npm ci --silent --prefix tests/engines
	$(VENV)/bin/python -m tests.herd

# RECORD=1 keeps the figures as those that later ones are held against.
bench-imports: $(VENV)/ready
	$(VENV)/bin/python -m tests.gates $(if $(RECORD),--record)

# ROUNDS=… says how often each process is started.
bench: $(VENV)/bench/ready
	@$(VENV)/bin/python -m tests.bench $(if $(ROUNDS),--rounds $(ROUNDS))

bench-memory: $(VENV)/bench/ready
	@$(VENV)/bin/python -m tests.bench.memory $(if $(ROUNDS),--rounds $(ROUNDS))

# Of the results that those two left.
bench-tables: $(VENV)/ready
	$(VENV)/bin/python -m tests.bench.documents

# Flame graphs, into docs/pictures.
bench-flame: $(VENV)/bench/ready
	$(VENV)/bin/python -m tests.bench.flame

bench-picture: $(VENV)/ready
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement tests/day/requirements.txt
	$(VENV)/bin/python -m tests.bench.picture

attack-crowd: $(VENV)/ready
	npm ci --silent --prefix tests/engines
	$(VENV)/bin/python -m tests.crowd $(if $(SEED),--seed $(SEED))

# STACK=… and NAME=… say whose lines, DAYS=… how far back; QUERY_ONLY=1 prints the query.
audit: $(VENV)/ready
	@$(VENV)/bin/python -m coze_sts.audit --stack "$$STACK" --days "$${DAYS:-30}" $(if $(QUERY_ONLY),--query-only) -- "$$NAME"

# COZE_CONFIG=… before a deployment, STACK=… after it; BOT_ID=…, ORIGIN=… and ENDPOINT=… say more,
# ARGS="--lang zh --json" how.
doctor: $(VENV)/ready
	@$(VENV)/bin/python -m coze_sts.doctor --coze-config "$$COZE_CONFIG" --stack "$$STACK" --bot-id "$$BOT_ID" --origin "$$ORIGIN" --endpoint "$$ENDPOINT" $(ARGS)

lock: $(VENV)/ready
	$(VENV)/bin/pip install --quiet uv
	cd layers/coze_sts && ../../$(UV) requirements.in --output-file requirements.txt
	cd tests && ../$(UV) --constraints ../layers/coze_sts/requirements.txt requirements.in --output-file requirements.txt
	cd tests/browser && ../../$(UV) --constraints ../requirements.txt requirements.in --output-file requirements.txt
	cd tests/bench && ../../$(UV) requirements.in --output-file requirements.txt
	cd tests/bench/handlers && ../../../$(UV) --constraints ../../requirements.txt requirements.in --output-file requirements.txt
	cd tests/bench/handlers/official && ../../../../$(UV) --constraints ../../../requirements.txt requirements.in --output-file requirements.txt
	cd tests/day && ../../$(UV) --constraints ../requirements.txt requirements.in --output-file requirements.txt

$(VENV)/ready: tests/requirements.txt
	@echo "Installing into $(VENV), once …"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Python 3.11 or newer is needed: make PYTHON=python3.13 …' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement tests/requirements.txt
	@touch $@

# Lambda's own runtime client, with the version of Python that Lambda has.
$(VENV)/bench/ready: $(VENV)/ready tests/bench/requirements.txt
	python3.13 -m venv $(VENV)/bench
	$(VENV)/bench/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement tests/bench/requirements.txt
	@touch $@
