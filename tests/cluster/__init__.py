"""A real Kubernetes for tests, on a machine without Docker.

Standard library only, as it runs before any venv exists; `requirement` alone belongs to pytest.
"""
