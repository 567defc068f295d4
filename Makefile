# Two commands do everything on a fresh machine with Python 3.11+ and make:
#   make demo   the main job on the bundled samples, through the vendor's own SDK
#   make test   lint, types, import contract and every test
# Also: make serve (stays up), make lock (refreshes the pinned versions), make clean.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := env -u PYTHONPATH $(BIN)

.PHONY: demo test serve tools lint types contract native unit lock clean

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "voicegauge needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || $(MAKE) --no-print-directory venv-package
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: venv-package
venv-package:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && apt-get install -y -qq python3-venv; \
	else \
		echo "Python's venv module is missing. On Debian or Ubuntu: sudo apt-get install python3-venv"; exit 1; \
	fi

demo: $(VENV)/.installed
	@$(RUN)/python samples/demo.py

serve: $(VENV)/.installed
	@$(RUN)/voicegauge serve

test: tools lint types contract native
	$(RUN)/python -m pytest -n 2 --dist loadgroup

lint: $(VENV)/.installed
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .

types: $(VENV)/.installed
	$(RUN)/mypy

contract: $(VENV)/.installed
	$(RUN)/lint-imports

# The tests need curl, and a C++ compiler for the sanitizers; the product needs neither.
tools:
	@missing=; command -v curl >/dev/null || missing="$$missing curl"; command -v c++ >/dev/null || missing="$$missing g++"; \
	[ -z "$$missing" ] || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
		apt-get update -qq && apt-get install -y -qq $$missing; } || \
		{ echo "the tests need$$missing. On Debian or Ubuntu: sudo apt-get install$$missing"; exit 1; }

# The native core's own tests under the address, undefined behaviour and thread sanitizers.
native: $(VENV)/.installed tools
	PATH="$(CURDIR)/$(BIN):$$PATH" tests/native/sanitize.sh

unit: $(VENV)/.installed
	$(RUN)/python -m pytest tests/unit

# Writes the exact versions and hashes of everything above, with no index address in it; and of what the image is made
# from and of, which are parts of it.
LOCK := $(VENV)-lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--custom-compile-command 'make lock'
lock: pyproject.toml
	$(PYTHON) -m venv $(VENV)-lock && $(VENV)-lock/bin/python -m pip install --quiet uv
	$(LOCK) --all-extras --group test --output-file requirements.lock pyproject.toml
	$(LOCK) --extra service --extra cluster --extra otel --extra m4a --constraint requirements.lock \
		--output-file deploy/requirements-image.lock pyproject.toml
	$(LOCK) --group build --constraint requirements.lock --output-file deploy/requirements-build.lock
	rm -rf $(VENV)-lock

clean:
	rm -rf $(VENV) .demo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build
