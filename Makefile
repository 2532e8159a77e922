# `make demo` and `make test` need Python 3.11 or later and nothing else; both make the environment in .venv first.
PYTHON ?= python3
UV_VERSION = 0.13.9
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export VIRTUAL_ENV := $(CURDIR)/.venv
export OMP_WAIT_POLICY = passive
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo kenya test lint prove docs bench peers repro clean lock

help:
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: .venv/app  ## draw a sample population and run the whole pipeline on it
	saakh simulate
	saakh run

kenya: .venv/app  ## run the pipeline on real loans (SAAKH_REAL_DATA, by default ../shared/data)
	SAAKH_KEY=$${SAAKH_KEY:-$$($(PYTHON) -c 'import secrets; print(secrets.token_hex(32))')} saakh run --params params.kenya_gps.yaml

test: lint build/node/made  ## everything CI runs
	python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -rs --durations 20 --durations-min 5

lint: .venv/dev
	ruff check .
	ruff format --check .
	mypy
	lint-imports

prove: .venv/dev build/node/made  ## measure every "done when" at full size, and write one table
	SAAKH_FULL=1 SAAKH_EXAMPLES=400 python -m pytest --timeout 3600

build/node/made: tests/node/package.json tests/node/package-lock.json tests/node/score.js
	@command -v npm >/dev/null || echo "npm is not there: ONNX in Node will not be tested"
	@if command -v npm >/dev/null; then mkdir -p build/node && cp tests/node/* tests/node/.npmrc build/node/ \
	&& npm ci --loglevel error --no-fund --no-audit --prefix build/node && touch $@; fi

docs: .venv/dev  ## one site of docs, commands, catalogue and the sample's reports, in build/site
	python -m sphinx --quiet --fail-on-warning --keep-going -t whole -c docs . build/site
	@echo "open build/site/index.html"

bench: .venv/dev  ## time ingest, check, runtime and simulate; ratios where there is a peer
	python -m benchmarks.ingest
	python -m benchmarks.check
	python -m benchmarks.runtime
	python -m benchmarks.simulate 1 5
	python -m benchmarks.audit
	python -m benchmarks.pages 20000

peers: build/peers/made  ## the tools that features are measured against, in an environment of their own

build/peers/made: .venv/app benchmarks/requirements-peers.lock
	uv venv --quiet --clear --python .venv/bin/python build/peers
	uv pip install --quiet --require-hashes --python build/peers -r benchmarks/requirements-peers.lock
	@touch $@

repro: .venv/dev  ## the same line under DVC: only what changed is run again
	dvc repro

.venv/app: requirements.lock pyproject.toml saakh/pyproject.toml $(wildcard saakh/*.[ch] pipeline/arrays/*.[ch])
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Saakh needs Python 3.11 or later; name one with make PYTHON=...")'
	test -x .venv/bin/uv || ($(PYTHON) -m venv .venv && .venv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION))
	uv pip install --quiet --require-hashes -r requirements.lock
	uv pip install --quiet --no-deps --no-build-isolation -e ./saakh -e .
	@touch $@

.venv/dev: .venv/app requirements-dev.lock
	uv pip install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

lock:  ## resolve the dependencies anew and write the locks
	mkdir -p build/lock && grep -v '"saakh==' pyproject.toml > build/lock/pyproject.toml
	cd build/lock && uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 pyproject.toml --extra dev --extra serve --extra spark --extra onnx --extra challengers --extra docs -o ../../requirements-dev.lock
	cd build/lock && uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11 pyproject.toml -c ../../requirements-dev.lock -o ../../requirements.lock

clean:  ## remove the environment, the sample and everything derived from it
	rm -rf .venv build data/raw data/oracle data/sample data/kenya_gps saakh/build saakh/_kernel.*so saakh/_kernel.*pyd \
	pipeline/arrays/_kernel.*so pipeline/arrays/_kernel.*pyd
