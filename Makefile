# Every target sets up by itself what it needs; `make` alone lists them.

PYTHON ?= python3
RUN := .venv/bin/python
SETUP := $(PYTHON) tools/setup.py
PYTEST_WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help demo test coverage lint types format crash-test attack durability race screenshots letters-figures queue-figures thread-figures reader-figures proof-figures lighthouse peers sizes bundles clear-queue image wheel lock clean setup-run setup-dev

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: setup-run ## serve a news page with comments, and print the addresses
	@$(RUN) demo/run.py

test: lint types ## run every check and every test, on both databases and in a browser
	@$(SETUP) --dev --with-browser --with-nginx
	@PYTHONDONTWRITEBYTECODE= $(RUN) -m pytest -n $(PYTEST_WORKERS)

coverage: setup-dev ## run the tests once more, and print which lines none of them reaches
	@$(SETUP) --dev --with-browser --with-nginx
	@$(RUN) -m pytest -n $(PYTEST_WORKERS) --cov --cov-report=term

lint: setup-dev ## check the style of code, templates and Dockerfile
	@$(RUN) -m ruff format --check --quiet .
	@$(RUN) -m ruff check --quiet .
	@$(RUN) -m djlint --quiet --lint templates demo
	@.venv/bin/hadolint Dockerfile

types: setup-dev ## check the types
	@$(RUN) -m mypy --no-error-summary

format: setup-dev ## bring code into the common form
	@$(RUN) -m ruff format .
	@$(RUN) -m ruff check --fix .

crash-test: setup-dev ## kill the service under load, again and again, and count what was lost
	@$(RUN) -m tools.crash_test

attack: setup-dev ## send 5,000 spam and 200 honest comments against a site that publishes at once (minutes)
	@$(RUN) -m tools.attack

durability: setup-dev ## show by strace that every answer waits for the disk
	@$(SETUP) --dev --with-strace
	@$(RUN) -m tools.check_durability

race: setup-dev ## let two moderators race for one comment a thousand times, on both databases
	@$(RUN) -m tools.race

screenshots: setup-dev ## take the pictures of docs/screenshots from the running demo
	@$(SETUP) --dev --with-browser
	@$(RUN) tools/screenshots.py

queue-figures: setup-dev ## measure the queue among a million comments, on both databases (minutes)
	@$(RUN) -m tools.measure_queue

thread-figures: setup-dev ## print how long pages of 10,000 comments take, beside those of 20, on both databases
	@$(RUN) -m tools.measure_threads

reader-figures: setup-dev ## measure loading, painting, scrolling and sending on a page with comments, in a browser
	@$(SETUP) --dev --with-browser
	@$(RUN) -m tools.measure_reading

proof-figures: setup-dev ## measure the work that browsers are asked for: deciding, checking, solving
	@$(SETUP) --dev --with-browser
	@$(RUN) -m tools.measure_proof

lighthouse: setup-dev ## let Lighthouse look at a page without comments and with a hundred (minutes)
	@$(SETUP) --dev --with-browser --with-npm lighthouse
	@$(RUN) -m tools.measure_lighthouse

peers: setup-dev ## measure what a page loads of this service and of others, and write docs/peers.md
	@$(SETUP) --dev --with-browser --with-isso --with-npm peers
	@$(RUN) -m tools.measure_peers

letters-figures: setup-dev ## print what a dead or slow mail server does to the time of a submission
	@$(RUN) -m tools.measure_letters

sizes: setup-dev ## print what a reader's browser loads
	@$(RUN) tools/measure_bundle.py

bundles: setup-dev ## make the smallest form of the scripts anew, after an edit in static/
	@$(SETUP) --dev --with-npm bundles
	@$(RUN) -m tools.make_bundles

clear-queue: setup-dev ## clear 500 comments by keys in a browser (make clear-queue FROM=DIR), and write docs/clearing.md
	@$(SETUP) --dev --with-browser
	@$(RUN) -m tools.clear_queue $(FROM) --log docs/clearing.md

image: setup-dev ## check the Dockerfile, build the image and print its size (as root)
	@$(RUN) -m tools.build_image

wheel: setup-dev ## build wheel and sdist into dist/
	@$(RUN) -m build --no-isolation --outdir dist .

lock: setup-dev ## resolve requirements/ anew (make lock UPGRADE=--upgrade)
	@$(RUN) -m tools.lock $(UPGRADE)

clean: ## remove what the tools made; comments in var/ stay
	rm -rf .venv .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist test-results

setup-run:
	@$(SETUP)

setup-dev:
	@$(SETUP) --dev
