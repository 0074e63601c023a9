"""`ringrift-runner`: stages of a cluster's pipelines on a machine outside of it, a Mac for one.

It claims RemoteTasks of its WorkerPool, runs each as a process (`processes`), and writes what comes of it into the
task's status. It knows nothing of pipelines, and needs no kopf. Start at `service`.
"""
