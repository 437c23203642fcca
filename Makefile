# Everything starts here: `make demo` shows it, `make test` proves it, `make help` lists the rest.
PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup demo test check prove bench migrate screenshots words lock clean system-packages

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

WORDS := console/locale/nb/LC_MESSAGES/console

setup: .venv/ready .venv/compiled $(WORDS).mo  ## build .venv with every extra, and fetch the third-party scripts

.venv/ready: requirements.lock pyproject.toml package-lock.json
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	sh scripts/fetch-scripts
	touch .venv/ready

# A service's user can't write here: it would compile everything anew at each start, in a megabyte.
.venv/compiled: .venv/ready $(shell find edge console sync -name '*.py')
	$(BIN)/python -m compileall -q edge console sync
	touch .venv/compiled

$(WORDS).mo: $(WORDS).po .venv/ready
	$(BIN)/pybabel --quiet compile --domain console --directory console/locale

demo: setup  ## a made-up makerspace with three virtual controllers on http://127.0.0.1:8016/
	$(BIN)/p2k16-console demo

test: setup system-packages check  ## all checks and tests
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: setup  ## lint, format, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

prove: setup system-packages  ## quick forms of the proofs; PROVE="cuts --long --seed 7" for others
	@$(BIN)/python -m tests.prove $(PROVE)

bench:  ## measure; prints one JSON line per figure; BENCH="taps memory" for some of them
	@$(MAKE) setup system-packages >&2
	@sh scripts/install-system-packages wrk >&2
	@$(BIN)/python -m tests.bench $(BENCH)

migrate: setup  ## bring the database of the default settings up to date
	$(BIN)/p2k16-console migrate

screenshots: setup system-packages  ## make the pictures in docs/ again, by the tests that show them
	P2K16_SCREENSHOTS=1 $(BIN)/python -m pytest -q tests/browser/test_shown.py tests/browser/test_demo_page.py

words: setup  ## bring the catalogue up to date with the words in templates and code
	$(BIN)/python -m tests.words
	@$(MAKE) --no-print-directory $(WORDS).mo

lock: setup  ## pin the newest versions that pyproject.toml allows
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
		--all-extras --no-emit-index-url --no-annotate --no-header pyproject.toml -o requirements.lock

clean:  ## remove what setup and tests made
	find edge console sync tests -name __pycache__ -prune -exec rm -rf {} +
	rm -rf .venv node_modules console/web/static/vendor .pytest_cache .hypothesis .ruff_cache .import_linter_cache

system-packages:
	@sh scripts/install-system-packages mosquitto chromium nginx systemd-analyze:systemd
