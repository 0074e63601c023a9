"""The test's own hand in the place of JobSet's controller: makes the Job of each JobSet, and says how it ended.

NOT JobSet: only as much of it as the operator asks for, by the book (pkg/controllers of v0.11). The JobSets are real
objects of the official CRD, and the Jobs and Pods are those of the real Job controller.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kubernetes import client, config

from tests.background import InBackground

GROUP, VERSION, PLURAL = "jobset.x-k8s.io", "v1alpha2", "jobsets"
SETS_UID = "jobset.sigs.k8s.io/jobset-uid"


class JobSetHand(InBackground):
    """Looks after the JobSets of a namespace, several times a second."""

    def __init__(self, kubeconfig: Path, namespace: str) -> None:
        super().__init__()
        api = config.new_client_from_config(str(kubeconfig))  # type: ignore[no-untyped-call]
        self._sets: Any = client.CustomObjectsApi(api)
        self._jobs: Any = client.BatchV1Api(api)
        self._namespace = namespace
        self.seen: dict[str, dict[str, Any]] = {}
        """Every JobSet there has been, by name, as it was last."""

    def _loop(self) -> None:
        while not self._stopping.wait(0.2):
            for jobset in self._listed():
                self.seen[jobset["metadata"]["name"]] = jobset
                self._look_after(jobset)

    def _listed(self) -> list[dict[str, Any]]:
        try:
            found = self._sets.list_namespaced_custom_object(GROUP, VERSION, self._namespace, PLURAL)
        except client.ApiException as error:
            if error.status == 404:  # no CRD yet
                return []
            raise
        items: list[dict[str, Any]] = found["items"]
        return items

    def _look_after(self, jobset: dict[str, Any]) -> None:
        if jobset.get("status", {}).get("terminalState"):
            return
        name, (replicated,) = jobset["metadata"]["name"], jobset["spec"]["replicatedJobs"]
        job_name = f"{name}-{replicated['name']}-0"
        try:
            job = self._jobs.read_namespaced_job(job_name, self._namespace)
        except client.ApiException as error:
            if error.status != 404:
                raise
            self._jobs.create_namespaced_job(self._namespace, _job(jobset, job_name, replicated["template"]))
            return
        ends = {each.type: each for each in job.status.conditions or () if each.status == "True"}
        if "Complete" in ends:
            self._say(name, "Completed", "AllJobsCompleted", "jobset completed successfully")
        elif "Failed" in ends:
            said = f"jobset failed due to reaching max number of restarts (first failed job: {job_name})"
            self._say(name, "Failed", "ReachedMaxRestarts", said)
        else:
            done = (job.status.ready or 0) + (job.status.succeeded or 0)
            count = {"ready": int(done >= job.spec.parallelism), "active": int(bool(job.status.active))}
            rest = dict.fromkeys(("succeeded", "failed", "suspended"), 0)
            self._write(name, {"restarts": 0, "replicatedJobsStatus": [{"name": replicated["name"], **count, **rest}]})

    def _say(self, name: str, kind: str, reason: str, message: str) -> None:
        moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        condition = {"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": moment}
        self._write(name, {"restarts": 0, "terminalState": kind, "conditions": [condition]})

    def _write(self, name: str, status: dict[str, Any]) -> None:
        try:
            self._sets.patch_namespaced_custom_object_status(
                GROUP, VERSION, self._namespace, PLURAL, name, {"status": status}
            )
        except client.ApiException as error:
            if error.status != 404:  # deleted meanwhile
                raise


def _job(jobset: dict[str, Any], name: str, template: dict[str, Any]) -> dict[str, Any]:
    """As JobSet makes it: labelled with the JobSet, as are its Pods, which get its headless Service's name."""
    metadata = jobset["metadata"]
    owner = {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "JobSet",
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
    }
    own = {SETS_UID: metadata["uid"], "jobset.sigs.k8s.io/jobset-name": metadata["name"]}
    spec = dict(template["spec"])
    pods = spec["template"]
    labels = {**pods.get("metadata", {}).get("labels", {}), **own}
    spec["template"] = {
        "metadata": {**pods.get("metadata", {}), "labels": labels},
        "spec": {**pods["spec"], "subdomain": metadata["name"]},
    }
    spec["suspend"] = bool(jobset["spec"].get("suspend"))
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "labels": {**template.get("metadata", {}).get("labels", {}), **own},
            "ownerReferences": [owner],
        },
        "spec": spec,
    }
