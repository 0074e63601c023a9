"""A real Kubernetes for tests, on a machine without Docker. Standard library only: it runs before any venv exists."""
