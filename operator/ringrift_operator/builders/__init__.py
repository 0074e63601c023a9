"""Manifests of placed tasks, made without I/O: a Job of a Cluster pool, a RemoteTask of a Runner pool."""
