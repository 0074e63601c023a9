# Every habit has a verb: `make help` lists them.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RINGRIFT_CACHE ?= $(HOME)/.cache/ringrift
export RINGRIFT_CACHE
ENGINE := ringrift_core/engine
ENGINE_SOURCES := $(shell find $(ENGINE)/src $(ENGINE)/Cargo.toml $(ENGINE)/Cargo.lock -type f 2>/dev/null)
PIP := $(BIN)/pip install --disable-pip-version-check --quiet --constraint constraints.txt

.PHONY: help
help: ## List the verbs
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- set-up ------------------------------------------------------------------------------------------------

$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "make: Python 3.11 or newer is needed, $$($(PYTHON) --version) found: set PYTHON=python3.12, say" >&2; exit 2; }
	@echo "setting up $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# PyTorch's CPU build where there is no NVIDIA GPU and that build can be had; the default build otherwise.
$(VENV)/.torch: $(VENV)/.python constraints.txt
	@echo "installing PyTorch (the largest download)"
	@$(PIP) uv
	@version=$$(grep '^torch==' constraints.txt); \
	UV_HTTP_TIMEOUT=20 $(BIN)/uv pip install --quiet --python $(BIN)/python --torch-backend=auto --constraint constraints.txt "$$version" 2>/dev/null \
	  || { echo "no CPU build of PyTorch within reach, taking the default build"; $(PIP) "$$version"; }
	@touch $@

$(VENV)/.packages: $(VENV)/.torch pyproject.toml operator/pyproject.toml constraints.txt
	@echo "installing the Python packages"
	@$(PIP) "maturin>=1.9,<2"
	@$(PIP) $$($(BIN)/python -c 'import tomllib, pathlib; core = tomllib.loads(pathlib.Path("pyproject.toml").read_text())["project"]; operator = tomllib.loads(pathlib.Path("operator/pyproject.toml").read_text())["project"]; wanted = core["dependencies"] + [w for extra in ("stages", "train", "tracking", "s3", "env", "dev") for w in core["optional-dependencies"][extra]] + operator["dependencies"] + [w for extra in ("cluster", "kubeconfig") for w in operator["optional-dependencies"][extra]]; print(*(w.replace(" ", "") for w in wanted if not w.startswith("ringrift")))')
	@touch $@

$(VENV)/.engine: $(VENV)/.packages $(ENGINE_SOURCES)
	@echo "building the rules engine"
	@command -v cargo >/dev/null || { echo "make: cargo not found: install Rust (rustup)" >&2; exit 2; }
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(PIP) --no-deps --no-build-isolation --editable .
	@$(PIP) --no-deps --editable operator
	@touch $@

.PHONY: setup
setup: $(VENV)/.engine ## Make .venv with everything in it, and build the rules engine

# --- use ---------------------------------------------------------------------------------------------------

.PHONY: run
run: setup ## Train a small pipeline on this machine: minutes, no cluster
	@$(BIN)/ringrift-operator local -f examples/quickstart.yaml

# --- checks ------------------------------------------------------------------------------------------------

.PHONY: test
test: setup test-programs test-rust test-python ## Run every test that needs no node

# Kubernetes' API server and its companions: minutes, once.
.PHONY: test-programs
test-programs:
	@$(PYTHON) -m tests.cluster build --without-node

.PHONY: test-rust
test-rust:
	cargo test --release --quiet --manifest-path $(ENGINE)/Cargo.toml

# A file's tests share what is costly to make, so each file goes to one process as a whole.
PROCESSES ?= 2
.PHONY: test-python
test-python: setup
	$(BIN)/python -m pytest -q -m "not e2e" --numprocesses=$(PROCESSES) --dist=loadfile --durations=25

.PHONY: lint
lint: setup ## ruff, mypy, stubtest, import-linter, circles among Rust modules, rustfmt, clippy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy ringrift_core operator/ringrift_operator tests benchmarks images
	$(BIN)/stubtest ringrift_core._engine
	$(BIN)/lint-imports
	$(BIN)/python -m tests.structure
	cargo fmt --check --manifest-path $(ENGINE)/Cargo.toml
	cargo clippy --quiet --all-targets --manifest-path $(ENGINE)/Cargo.toml -- -D warnings

.PHONY: fuzz
fuzz: ## Throw broken input at the rules engine (INPUTS=100000)
	cargo run --release --quiet --manifest-path $(ENGINE)/Cargo.toml --bin fuzz -- --inputs $(or $(INPUTS),100000) --seed 1

.PHONY: mutants
mutants: $(VENV)/.python ## Break the rules one at a time: the suite must notice each (an hour)
	$(BIN)/python -m tests.mutation

.PHONY: properties
properties: setup ## Draw 100,000 snapshots and worlds: plans come to rest and fit their schemas, nobody starves (hours)
	RINGRIFT_SNAPSHOTS=$(or $(SNAPSHOTS),100000) RINGRIFT_WORLDS=$(or $(WORLDS),100000) \
	  $(BIN)/python -m pytest -q --timeout=0 tests/unit/domain/test_valid.py tests/unit/domain/test_fairness.py

.PHONY: faults
faults: setup ## Print what each command says of broken inputs, full disks and failing stores (minutes)
	$(BIN)/python -m tests.faults

.PHONY: kills
kills: setup ## Kill self-play, merge and export 20 times each at random moments (minutes)
	RINGRIFT_DATA_KILLS=20 RINGRIFT_DATA_GAMES=60000 $(BIN)/python -m pytest -q -s tests/unit/core/test_killed_data.py

.PHONY: bench
bench: setup ## Measure the rules engine
	$(BIN)/ringrift bench rules

.PHONY: crds
crds: setup ## Make crds/, the CRD chart and the API reference from the resource models
	$(BIN)/python -m ringrift_operator.api.crd crds charts/ringrift-crds/templates
	@$(BIN)/python -m ringrift_operator.api.values_schema charts/ringrift/values.schema.json
	$(BIN)/python -m ringrift_operator.api.reference docs/api-reference.md

# --- cluster -----------------------------------------------------------------------------------------------

.PHONY: cluster-binaries
cluster-binaries: ## Build Kubernetes, helm and an S3 server for the tests (once; needs Go)
	@$(PYTHON) -m tests.cluster build

.PHONY: cluster-packages
cluster-packages: ## Install the Debian packages that a real node takes (once; as root)
	@$(PYTHON) -m tests.cluster packages

IMAGES ?= worker operator trainer
.PHONY: images
images: setup ## Build the container images (IMAGES="worker operator"), with Docker or else buildah
	@$(BIN)/python -m images.build $(IMAGES)

.PHONY: e2e
e2e: setup cluster-packages cluster-binaries ## Run a pipeline on a real node, in real containers (Linux, as root)
	$(BIN)/python -m pytest -m e2e tests/e2e --ignore=tests/e2e/stories

# Not part of .ci/run either. It goes on with the stories that have not passed yet at this commit.
.PHONY: e2e-all
e2e-all: setup cluster-packages cluster-binaries ## Tell every story on a real node, each once a commit (STORY=upgrade tells one; as root)
	@$(PYTHON) -m tests.cluster build --jobset
	@$(PYTHON) -m tests.cluster build --network-policies
	@$(PYTHON) -m tests.cluster build --kueue
	@$(BIN)/python -m tests.e2e.stories $(STORY)

# Not part of .ci/run, which has an hour from an empty cache: Kueue and JobSet take minutes to build.
.PHONY: e2e-kueue
e2e-kueue: setup test-programs ## Two namespaces on one quota of a real Kueue, which takes machines back (no root needed)
	@$(PYTHON) -m tests.cluster build --kueue
	$(BIN)/python -m pytest -m e2e tests/kueue

.PHONY: e2e-jobset
e2e-jobset: setup test-programs ## Training on two nodes by a real JobSet (no root needed)
	@$(PYTHON) -m tests.cluster build --jobset
	$(BIN)/python -m pytest -m e2e tests/jobset

CLUSTER := ringrift
.PHONY: cluster
cluster: images ## Make a kind cluster with the operator in it (needs Docker, kind and helm)
	kind get clusters | grep -qx $(CLUSTER) || kind create cluster --name $(CLUSTER)
	kind load docker-image --name $(CLUSTER) $(foreach image,$(IMAGES),ringrift-$(image):dev)
	helm --kube-context kind-$(CLUSTER) upgrade --install ringrift-crds charts/ringrift-crds
	helm --kube-context kind-$(CLUSTER) upgrade --install ringrift charts/ringrift --namespace ringrift --create-namespace --values charts/ringrift/environments/local.yaml --wait

.PHONY: runner-credentials
runner-credentials: setup ## Let a machine outside the cluster run a pool's tasks (POOL=mac-studio, NAMESPACE=ringrift)
	@test -n "$(POOL)" || { echo "make: which pool? POOL=mac-studio, say" >&2; exit 2; }
	@$(BIN)/ringrift-operator runner-credentials "$(POOL)" --namespace "$(or $(NAMESPACE),ringrift)"

.PHONY: constraints
constraints: $(VENV)/.packages ## Renew constraints.txt from what is installed, and the images' locks from it
	@{ echo "# Versions that CI installs; no addresses. Hashes stand in images/locks. Renew with: make constraints"; \
	  $(BIN)/pip freeze --exclude-editable | awk '!/^(nvidia-|cuda-|triton|ringrift)/ || /^nvidia-ml-py=/' | sed -E 's/ @.*//; s/\+cpu$$//' | sort -f; } > constraints.new
	@mv constraints.new constraints.txt
	$(BIN)/python -m images.contents

.PHONY: base-packages
base-packages: setup ## Renew the versions of Debian's packages in the base image (images/bare/packages.txt)
	$(BIN)/python -m images.base

.PHONY: clean
clean: ## Remove what was built here
	rm -rf $(VENV) $(ENGINE)/target dist
