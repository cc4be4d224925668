# One .venv for all of ours. Each target installs what it needs from a hash-pinned file, once for each content of that file.
# Words after a target go in ARGS:  make demo ARGS="--help"

PYTHON ?= python3
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo run test bench pictures docs sbom audit-dependencies lint format lock venv venv-run venv-demo venv-dev venv-peer

help: ## print this
	@echo "Lamplighter"; echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' Makefile

demo: venv-demo ## the whole bot in a pretend workspace and a pretend cloud; prints the page to open, ctrl-C ends it
	@exec .venv/bin/python -m bot demo $(ARGS)

run: venv-run ## the bot, with this environment's settings
	@exec .venv/bin/python -m bot run $(ARGS)

# What one of the processes has compiled of the tests is there for the others, whatever the environment says.
test: venv-dev ## all tests; ARGS="tests/commands -k audit" for some
	@PYTHONDONTWRITEBYTECODE= exec .venv/bin/python -m pytest -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

bench: venv-dev $(if $(findstring --no-peer,$(ARGS)),,venv-peer) ## audits beside Cloud Custodian, into BENCHMARKS.md, load, and hours of faults; ARGS="--no-peer" for ours alone
	@.venv/bin/python -m tests.bench $(ARGS)
	$(if $(ARGS),,@.venv/bin/python -m tests.bench.soak)

pictures: venv-dev ## docs/pictures taken anew by the browser tests, with fewer colours where pngquant is installed
	@LAMPLIGHTER_SCREENSHOTS=docs/pictures LAMPLIGHTER_BROWSER=required .venv/bin/python -m pytest -q tests/bot/test_pictures.py tests/bot/test_report_pictures.py tests/bot/test_map_pictures.py $(ARGS)
	@if command -v pngquant >/dev/null; then pngquant --force --ext .png 64 docs/pictures/*.png; \
	else echo "pngquant is not installed: the pictures are several times as large as they need be."; fi

docs: venv-dev ## the README's settings, written anew from the code
	@.venv/bin/python -m tests.readme

# Of the image as it is built by default; SBOM_OF=requirements-cluster.txt for another.
SBOM_OF ?= requirements-charts.txt

sbom: venv-dev ## sbom.json: what the image is made of, as CycloneDX, the same for the same pins
	@.venv/bin/python -W ignore -m cyclonedx_py requirements --pyproject pyproject.toml --short-PURLs --output-reproducible \
	--spec-version 1.6 --output-format JSON --output-file sbom.json $(ARGS) $(SBOM_OF)

audit-dependencies: venv-dev ## our pins held against known vulnerabilities, where a service can be asked about them
	@.venv/bin/python -m tests.audit_dependencies $(ARGS)

lint: venv-dev ## formatting, lint, types, who imports whom, the Dockerfile
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo
	.venv/bin/hadolint Dockerfile

format: venv-dev ## lay the code out, and mend what ruff can mend
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

# What `make bench` measures beside ours. Its versions are its own, so it has its own environment.
PEER = tests/bench/requirements-peer

# Each file is held to the versions of the larger one, so that all of them can live in one .venv.
COMPILE = .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --custom-compile-command "make lock" $(ARGS)

lock: venv-dev ## compile requirements*.txt from pyproject.toml; ARGS=--upgrade for the newest versions
	$(COMPILE) pyproject.toml --extra dev --output-file requirements-dev.txt
	$(COMPILE) pyproject.toml --extra demo --constraints requirements-dev.txt --output-file requirements-demo.txt
	$(COMPILE) pyproject.toml --extra cluster --constraints requirements-dev.txt --output-file requirements-cluster.txt
	$(COMPILE) pyproject.toml --extra charts --constraints requirements-demo.txt --output-file requirements-charts.txt
	$(COMPILE) pyproject.toml --extra iac --constraints requirements-dev.txt --output-file requirements-iac.txt
	$(COMPILE) pyproject.toml --constraints requirements-demo.txt --output-file requirements.txt
	$(COMPILE) $(PEER).in --output-file $(PEER).txt

# --- .venv -------------------------------------------------------------------------------------------------------------

venv:
	@if .venv/bin/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then exit 0; fi; \
	command -v $(PYTHON) >/dev/null 2>&1 || { \
	  echo "Lamplighter needs Python 3.11 or newer, and $(PYTHON) is not here. Name one: make PYTHON=/path/to/python3.11" >&2; exit 2; }; \
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Lamplighter needs Python 3.11 or newer; this is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=python3.11" >&2; exit 2; }; \
	$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv; then run make again." >&2; exit 2; }; \
	$(PYTHON) -m venv --clear .venv

# A copy of the file that was installed is the stamp: it holds for the content, whatever a checkout does to file times.
define install
@cmp -s $(1) $(2)/.$(notdir $(1)) || { \
  echo "Installing $(1) into $(2); this takes about a minute, once."; \
  $(2)/bin/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes --no-deps -r $(1) \
  && cp $(1) $(2)/.$(notdir $(1)); }
endef

# Compiled once here: where PYTHONDONTWRITEBYTECODE is set, each start would compile all of it again.
define compiled
@.venv/bin/python -m compileall -q bot commands storage
endef

venv-run: venv
	$(call install,requirements.txt,.venv)
	$(compiled)

venv-demo: venv
	$(call install,requirements-demo.txt,.venv)
	$(compiled)

venv-dev: venv
	$(call install,requirements-dev.txt,.venv)
	$(compiled)

venv-peer: venv
	@.venv-peer/bin/python -c 'import pip' 2>/dev/null || .venv/bin/python -m venv --clear .venv-peer
	$(call install,$(PEER).txt,.venv-peer)
