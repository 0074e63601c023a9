"""The operator over a real API server: what a person who applies a pipeline gets to see.

Jobs, Pods and garbage collection are real; `worker` plays the node, so that an iteration takes a second or two.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from ringrift_core.contract import Decision, ExitCode
from tests.apiserver.dead_webhook import SAID, apply_dead_webhook
from tests.apiserver.operator_process import OperatorProcess, eventually
from tests.apiserver.person import Person, pipeline
from tests.apiserver.worker import Ending, Worker
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import KubectlError

CONFIGURATION = "square8-2p"


@pytest.fixture(scope="module")
def operator(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    """One operator for all namespaces."""
    with OperatorProcess(control_plane.kubeconfig, tmp_path_factory.mktemp("operator")) as process:
        yield process


def champions(status: dict[str, Any]) -> dict[str, str]:
    """Versions of the only configuration's champions, by track."""
    (configuration,) = status["configurations"]
    return {track["name"]: track["champion"] for track in configuration["tracks"] if "champion" in track}


@pytest.mark.usefixtures("worker")
def test_a_pipeline_is_trained_to_its_end(person: Person, namespace: str) -> None:
    person.kubectl.apply(pipeline(namespace, iterations=2))
    status = person.sees(phase="Completed")
    assert (status["iteration"], status["games"], status["promotions"]) == (2, 40, 2)
    (configuration,) = status["configurations"]
    assert champions(status) == {"weights": "2"}
    assert configuration["lastEvaluation"]["decision"] == "Promoted"
    assert status["tasks"]["failed"] == 0
    assert person.condition("Ready")["status"] == "True"
    eventually(lambda: person.jobs() == [])
    records = person.kubectl.get("ti", "-l", "ringrift.ai/pipeline=tiny")["items"]
    assert [record["spec"]["iteration"] for record in records] == [1, 2]
    events = person.events()
    assert sum(line.startswith("Promoted") for line in events) == 2
    assert len(events) == len(set(events)), "something was told twice"


def test_what_kubectl_prints(person: Person, worker: Worker, namespace: str) -> None:
    worker.holds.add("cmaes")
    person.kubectl.apply(pipeline(namespace))
    person.sees(running="square8-2p i1: cmaes", games=20)  # self-play may begin after the search, and has ended now
    header, row = person.kubectl("get", "tp", "-o", "wide").splitlines()
    columns = "NAME PHASE ITERATION GAMES PROMOTIONS ROLLBACKS LAST-PROMOTION READY AGE RUNNING MESSAGE"
    assert header.split() == columns.split()
    assert row.startswith("tiny")
    assert "Bootstrapping" in row
    assert "square8-2p i1: cmaes" in row
    eventually(lambda: " 1 " in person.kubectl("get", "wp"), otherwise=lambda: person.kubectl("get", "wp"))
    worker.holds.clear()
    person.sees(phase="Completed")
    eventually(lambda: person.kubectl.get("wp", "pool")["status"]["busy"] == 0)


def test_a_rejected_candidate_is_shown_with_its_figures(person: Person, worker: Worker, namespace: str) -> None:
    worker.decisions["evaluate-weights"] = Decision.REJECT
    person.kubectl.apply(pipeline(namespace))
    status = person.sees(phase="Completed")
    assert status.get("promotions", 0) == 0
    evaluation = status["configurations"][0]["lastEvaluation"]
    assert (evaluation["decision"], evaluation["games"], evaluation["winRate"]) == ("Rejected", 100, 0.61)


def test_suspended_it_finishes_what_runs_and_resumes_where_it_was(
    person: Person, worker: Worker, namespace: str
) -> None:
    worker.holds |= {"cmaes", "selfplay"}
    person.kubectl.apply(pipeline(namespace))
    eventually(lambda: len(person.jobs()) == 2)
    running = person.jobs()
    person.kubectl("patch", "tp", "tiny", "--type=merge", "-p", '{"spec": {"suspend": true}}')
    person.sees(phase="Suspended")
    assert person.jobs() == running
    worker.holds.clear()
    eventually(lambda: person.jobs() == [])  # recorded, and nothing new: neither merge nor evaluate
    tasks = {task["name"]: task["phase"] for task in person.status()["configurations"][0]["tasks"]}
    assert tasks["selfplay"] == tasks["cmaes"] == "Succeeded"
    assert tasks["merge"] == tasks["evaluate-weights"] == "Pending"
    person.kubectl("patch", "tp", "tiny", "--type=merge", "-p", '{"spec": {"suspend": false}}')
    person.sees(phase="Completed", games=20, promotions=1)
    assert worker.ran.count("cmaes") == 1


def test_not_now_is_no_failure_and_a_crash_is_one(person: Person, worker: Worker, namespace: str) -> None:
    worker.script["cmaes"] = [Ending(ExitCode.NOT_NOW, message="the store is away")]
    worker.script["selfplay"] = [Ending(137, "OOMKilled")] * 2
    person.kubectl.apply(pipeline(namespace))

    def delayed() -> dict[str, Any] | None:
        tasks = {task["name"]: task for task in person.status().get("configurations", [{}])[0].get("tasks", ())}
        both = [tasks.get(name, {}) for name in ("cmaes", "selfplay")]
        return tasks if all("notBefore" in task for task in both) else None

    tasks = eventually(delayed)
    assert (tasks["cmaes"]["attempt"], tasks["cmaes"].get("failures", 0), tasks["cmaes"]["delays"]) == (2, 0, 1)
    assert "the store is away" in tasks["cmaes"]["message"]
    assert (tasks["selfplay"]["attempt"], tasks["selfplay"]["failures"]) == (2, 1)
    assert "its limit of 1Gi" in tasks["selfplay"]["message"]
    # Nobody needs to wait for the end of the pause.
    worker.holds |= {"cmaes", "selfplay"}
    person.kubectl("annotate", "tp", "tiny", "ringrift.ai/reconcile-requested-at=now")
    eventually(lambda: [name[-3:] for name in person.jobs()] == ["-a2", "-a2"])
    for job in person.kubectl.get("jobs")["items"]:
        step = job["metadata"]["labels"]["ringrift.ai/step"]
        assert job["metadata"]["creationTimestamp"] < tasks[step]["notBefore"]
    worker.holds.clear()
    status = person.sees(phase="Completed")
    assert status["tasks"]["failed"] == 1


def test_an_image_that_never_comes_is_told(person: Person, worker: Worker, namespace: str) -> None:
    worker.cannot_start["cmaes"] = ("ImagePullBackOff", 'Back-off pulling image "ringrift-worker:test"')
    person.kubectl.apply(pipeline(namespace))
    said = 'cmaes does not start: ImagePullBackOff: Back-off pulling image "ringrift-worker:test"'
    eventually(lambda: said in person.condition("Degraded").get("message", ""))
    assert said in person.kubectl("get", "tp", "-o", "wide")
    worker.cannot_start.clear()
    person.sees(phase="Completed")
    assert person.condition("Degraded")["status"] == "False"


def test_exit_zero_without_a_result_is_a_failure(person: Person, worker: Worker, namespace: str) -> None:
    worker.script["cmaes"] = [Ending(ExitCode.DONE, "Completed", "not JSON")]
    person.kubectl.apply(pipeline(namespace))
    eventually(lambda: any("without a valid result" in line for line in person.events()))
    person.kubectl("annotate", "tp", "tiny", "ringrift.ai/reconcile-requested-at=now")
    assert person.sees(phase="Completed")["tasks"]["failed"] == 1


def test_wrong_input_is_not_tried_again(person: Person, worker: Worker, namespace: str) -> None:
    worker.script["cmaes"] = [Ending(ExitCode.WRONG_INPUT, message="weights.json: no such feature")]
    person.kubectl.apply(pipeline(namespace))
    status = person.sees(phase="Failed")
    assert worker.ran.count("cmaes") == 1
    assert status["tasks"]["failed"] == 1
    for condition in ("Degraded", "Stalled"):
        assert "no such feature" in person.condition(condition)["message"]


def test_a_rollback_asked_for_by_annotation(person: Person, worker: Worker, namespace: str) -> None:
    person.kubectl.apply(pipeline(namespace, iterations=2))
    person.sees(phase="Completed", promotions=2)
    request = f"{CONFIGURATION}/weights@2026-01-31T12:00:00Z"
    person.kubectl("annotate", "tp", "tiny", f"ringrift.ai/rollback-requested={request}")
    status = person.sees(rollbacks=1)
    assert champions(status) == {"weights": "1"}
    assert status["handledRequests"]["rollback"] == request
    assert worker.store[CONFIGURATION].champions == {"weights": [0, 1]}


def test_a_dry_run_says_and_does_nothing(person: Person, worker: Worker, namespace: str) -> None:
    person.kubectl.apply(pipeline(namespace, dryRun=True))
    status = eventually(lambda: (found := person.status()).get("plan") and found)
    assert any("selfplay of 20 games in 2 shards" in line for line in status["plan"])
    assert person.jobs() == []
    assert worker.ran == []


def test_deleting_a_pipeline_takes_its_children_along(person: Person, worker: Worker, namespace: str) -> None:
    worker.holds |= {"cmaes", "selfplay"}
    person.kubectl.apply(pipeline(namespace))
    eventually(lambda: len(person.jobs()) == 2)
    person.kubectl("delete", "tp", "tiny", "--timeout=120s")
    eventually(lambda: person.jobs() == [] and not person.kubectl.get("pods")["items"])
    # The same name again is another pipeline: nothing of the old one counts as its own.
    worker.holds.clear()
    person.kubectl.apply(pipeline(namespace))
    person.sees(phase="Completed")


def test_jobs_left_behind_by_a_deleted_pipeline_still_take_their_slots(
    person: Person, worker: Worker, namespace: str
) -> None:
    worker.holds.add("cmaes")
    person.kubectl.apply(pipeline(namespace))
    person.sees(games=20)
    (left,) = eventually(lambda: len(person.jobs()) == 1 and person.jobs())
    person.kubectl("delete", "tp", "tiny", "--cascade=orphan")
    person.kubectl.apply(pipeline(namespace, "next"))
    following = Person(person.kubectl, "next")
    eventually(lambda: "waits for a slot: square8-2p cmaes" in following.condition("Ready").get("message", ""))
    person.kubectl("delete", "job", left)
    worker.holds.clear()
    following.sees(phase="Completed")


@pytest.mark.usefixtures("worker")
def test_a_foreign_job_of_the_same_name_is_not_ours(person: Person, namespace: str) -> None:
    name = f"tiny-{CONFIGURATION}-i0-adopt-a1"
    foreign = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {
            "suspend": True,
            "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "other", "image": "none"}]}},
        },
    }
    person.kubectl.apply(foreign)
    person.kubectl.apply(pipeline(namespace))
    eventually(lambda: any("is not ours" in line for line in person.events()))
    eventually(lambda: person.condition("Degraded").get("status") == "True", otherwise=person.status)
    said = f"{name} cannot be created: 409 NameTaken: jobs/{name} exists and is not ours: delete or rename it"
    assert person.condition("Degraded")["message"] == said
    assert said in person.condition("Ready")["message"]
    assert person.jobs() == [name]
    person.kubectl("delete", "job", name)
    person.sees(phase="Completed")
    assert person.condition("Degraded")["status"] == "False"


@pytest.mark.usefixtures("worker")
def test_a_record_that_an_earlier_pipeline_has_left_holds_nothing_up(person: Person, namespace: str) -> None:
    left = {
        "apiVersion": "ringrift.ai/v1alpha1",
        "kind": "TrainingIteration",
        "metadata": {"name": f"tiny-{CONFIGURATION}-i1"},
        "spec": {
            "pipeline": "tiny",
            "configuration": CONFIGURATION,
            "board": "square8",
            "players": 2,
            "iteration": 1,
            "finishedAt": "2026-01-31T12:00:00Z",
        },
    }
    person.kubectl.apply(left)
    person.kubectl.apply(pipeline(namespace, iterations=2))
    person.sees(phase="Completed")
    record = f"trainingiterations/tiny-{CONFIGURATION}-i1 exists and is not ours: delete or rename it"
    told = [line for line in person.events() if line.startswith("NotCreated")]
    assert [record in line for line in told] == [True]
    assert len(person.kubectl.get("ti")["items"]) == 2
    assert record in person.condition("Degraded")["message"]
    person.kubectl("delete", "ti", f"tiny-{CONFIGURATION}-i1")
    eventually(lambda: person.condition("Degraded")["status"] == "False", person.status)
    assert "startedAt" in person.kubectl.get("ti", f"tiny-{CONFIGURATION}-i1")["spec"], "it was written after all"


def test_a_refused_job_is_a_condition(person: Person, namespace: str) -> None:
    quota = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "jobs", "namespace": namespace}}
    person.kubectl.apply({**quota, "spec": {"hard": {"count/jobs.batch": "0"}}})
    eventually(lambda: "used" in person.kubectl.get("resourcequota", "jobs").get("status", {}))
    began = time.monotonic()
    person.kubectl.apply(pipeline(namespace))
    eventually(lambda: person.condition("Degraded").get("status") == "True", otherwise=person.status)
    print(f"refused Job: {time.monotonic() - began:.1f} s")
    assert "cannot be created: 403 Forbidden: " in person.condition("Degraded")["message"]
    assert "exceeded quota: jobs" in person.condition("Degraded")["message"]


def test_a_refused_status_is_told_and_gone_on_with_once_it_is_taken(
    person: Person, worker: Worker, namespace: str
) -> None:
    rule = {"apiGroups": ["ringrift.ai"], "apiVersions": ["*"], "operations": ["UPDATE"]}
    scope = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
    api = "admissionregistration.k8s.io/v1"
    policy = {
        "apiVersion": api,
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": namespace},
        "spec": {
            "matchConstraints": {"resourceRules": [{**rule, "resources": ["trainingpipelines/status"]}], **scope},
            "validations": [{"expression": "!has(object.status.phase)", "message": "no phases on Saturdays"}],
        },
    }
    binding = {
        "apiVersion": api,
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": namespace},
        "spec": {"policyName": namespace, "validationActions": ["Deny"]},
    }
    probe = pipeline(namespace, "probe", suspend=True)
    person.kubectl.apply(probe)
    person.kubectl.apply(policy)
    person.kubectl.apply(binding)
    patch = ("patch", "tp", "probe", "--subresource=status", "--type=merge", "-p")

    def is_in_force() -> bool:
        try:
            person.kubectl(*patch, f'{{"status": {{"phase": "Pending", "games": {time.time_ns() % 1000}}}}}')
        except KubectlError as refused:
            return "no phases on Saturdays" in str(refused)
        return False

    try:
        eventually(is_in_force)
        began = time.monotonic()
        person.kubectl.apply(pipeline(namespace))
        eventually(lambda: person.condition("Stalled").get("status") == "True", person.status)
        print(f"refused status: {time.monotonic() - began:.1f} s")
        assert "the status cannot be written: " in person.condition("Stalled")["message"]
        assert "no phases on Saturdays" in person.kubectl("get", "tp", "tiny", "-o", "wide")
        assert sum(line.startswith("NotWritten: the status cannot be written") for line in person.events()) == 1
        assert person.jobs() == []
    finally:
        person.kubectl("delete", "validatingadmissionpolicybinding", namespace)
        person.kubectl("delete", "validatingadmissionpolicy", namespace)
    person.sees(phase="Completed")
    assert worker.ran.count("selfplay") == 2
    assert person.condition("Stalled")["status"] == "False"


def test_the_younger_of_two_pipelines_with_one_store_waits(person: Person, worker: Worker, namespace: str) -> None:
    worker.holds.add("cmaes")
    person.kubectl.apply(pipeline(namespace))
    eventually(person.jobs)
    time.sleep(1.1)  # objects are dated to the second
    younger = pipeline(namespace, "younger", artifacts=pipeline(namespace)["spec"]["artifacts"])
    person.kubectl.apply(younger)
    other = Person(person.kubectl, "younger")
    eventually(lambda: other.condition("Stalled").get("status") == "True")
    assert f"pipeline tiny in namespace {namespace} already trains square8-2p" in other.condition("Stalled")["message"]
    person.kubectl("delete", "tp", "tiny")
    worker.holds.clear()
    other.sees(phase="Completed")


def test_every_task_has_its_limits_and_no_rights(person: Person, worker: Worker, namespace: str) -> None:
    worker.holds |= {"cmaes", "selfplay"}
    person.kubectl.apply(pipeline(namespace))
    eventually(lambda: len(person.jobs()) == 2)
    for job in person.kubectl.get("jobs")["items"]:
        spec = job["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        assert container["resources"]["limits"] == {"cpu": "1", "memory": "1Gi"}
        assert container["resources"]["requests"] == container["resources"]["limits"]
        assert spec["automountServiceAccountToken"] is False
        assert job["spec"]["backoffLimit"] >= 0
        assert spec["activeDeadlineSeconds"] == 24 * 3600
        assert spec["restartPolicy"] == "Never"


@pytest.mark.usefixtures("worker")
def test_metrics_and_health(person: Person, namespace: str, operator: OperatorProcess) -> None:
    person.kubectl.apply(pipeline(namespace))
    person.sees(phase="Completed")

    fetch = operator.fetch
    assert fetch("/healthz").endswith("ok\n")
    assert fetch("/readyz").endswith("ok\n")
    labels = f'namespace="{namespace}",pipeline="tiny"'
    eventually(lambda: f"ringrift_promotions{{{labels}}} 1.0" in fetch("/metrics"))
    eventually(lambda: person.jobs() == [])
    metrics = fetch("/metrics")
    assert f'ringrift_games{{configuration="{CONFIGURATION}",{labels}}} 20.0' in metrics
    assert f'ringrift_tasks_total{{namespace="{namespace}",outcome="done",stage="cmaes"}} 1.0' in metrics
    assert "ringrift_reconcile_seconds_count" in metrics


REFUSING = {
    "quota": (
        {"apiVersion": "v1", "kind": "ResourceQuota", "spec": {"hard": {"pods": "0"}}},
        "FailedCreate: its Pod is forbidden: exceeded quota: refusing, requested: pods=1, used: pods=0, limited: ",
    ),
    "limits": (
        {
            "apiVersion": "v1",
            "kind": "LimitRange",
            "spec": {"limits": [{"type": "Container", "max": {"memory": "1Mi"}}]},
        },
        "FailedCreate: its Pod is forbidden: maximum memory usage per Container is 1Mi",
    ),
}


@pytest.mark.parametrize("what", REFUSING)
def test_a_job_that_gets_no_pod_is_explained(person: Person, namespace: str, what: str) -> None:
    manifest, sentence = REFUSING[what]
    person.kubectl.apply({**manifest, "metadata": {"name": "refusing", "namespace": namespace}})
    began = time.monotonic()
    person.kubectl.apply(pipeline(namespace))
    eventually(lambda: person.condition("Degraded").get("status") == "True", otherwise=person.status)
    print(f"{what}: {time.monotonic() - began:.1f} s")
    message = person.condition("Degraded")["message"]
    assert "square8-2p: adopt does not start: " in message
    assert sentence in message
    assert sentence in person.condition("Ready")["message"]


def test_a_job_whose_pods_a_webhook_refuses_is_explained(person: Person, namespace: str) -> None:
    try:
        apply_dead_webhook(person.kubectl, namespace, {"kubernetes.io/metadata.name": namespace})
        began = time.monotonic()
        person.kubectl.apply(pipeline(namespace))
        eventually(lambda: SAID in person.condition("Degraded").get("message", ""), person.status)
        print(f"webhook: {time.monotonic() - began:.1f} s")
        assert SAID in person.kubectl("get", "tp", "-o", "wide")
    finally:
        person.kubectl("delete", "validatingwebhookconfiguration", namespace)


OF_THE_POOL = {
    "priority": ({"priorityClassName": "absent"}, "no PriorityClass with name absent was found"),
    "security": (
        {"securityContext": {"privileged": True}},
        'violates PodSecurity \\"restricted:latest\\": privileged (container \\"stage\\" must not set',
    ),
}


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("what", OF_THE_POOL)
def test_a_pool_whose_pods_are_refused_is_explained(person: Person, namespace: str, what: str) -> None:
    template, sentence = OF_THE_POOL[what]
    person.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    person.kubectl("patch", "wp", "pool", "--type=merge", "-p", json.dumps({"spec": {"podTemplate": template}}))
    began = time.monotonic()
    person.kubectl.apply(pipeline(namespace))
    eventually(lambda: person.condition("Degraded").get("status") == "True", otherwise=person.status)
    print(f"{what}: {time.monotonic() - began:.1f} s: {person.condition('Degraded')['message']}")
    # The Job of cmaes may be looked at before that of self-play.
    said = "square8-2p: selfplay does not start: FailedCreate: "
    eventually(lambda: said in person.condition("Degraded")["message"], otherwise=person.status)
    assert sentence.replace("\\", "") in person.condition("Degraded")["message"].replace("\\", "")


def test_a_store_that_another_cluster_has_is_stalled_and_taken_over_when_somebody_asks(
    person: Person, worker: Worker, namespace: str
) -> None:
    said = f"square8-2p in s3://bucket/{namespace}/tiny is held by pipeline games/demo of cluster 91aa"
    worker.script["merge"] = [Ending(ExitCode.HELD, message=said)] * 50
    person.kubectl.apply(pipeline(namespace))
    eventually(lambda: said in person.condition("Stalled").get("message", ""), person.status)
    assert "ringrift.ai/take-over-requested-at=" in person.kubectl("get", "tp", "-o", "wide")
    assert person.condition("Ready")["status"] == "False"
    worker.holds.add("merge")
    person.kubectl("annotate", "tp", "tiny", "ringrift.ai/take-over-requested-at=now")
    job = eventually(lambda: next((each for each in person.kubectl.get("jobs")["items"] if _takes_over(each)), None))
    arguments = job["spec"]["template"]["spec"]["containers"][0]["args"]
    cluster = person.kubectl.get("namespace", "kube-system")["metadata"]["uid"]
    assert arguments[arguments.index("--holder") + 1] == f"{cluster}/{namespace}/tiny"
    worker.script.clear()
    worker.holds.clear()
    status = person.sees(phase="Completed")
    assert status["handledRequests"]["take-over"] == "now"
    assert status["tasks"]["failed"] == 0
    assert person.condition("Stalled")["status"] == "False"


def _takes_over(job: dict[str, Any]) -> bool:
    return "--take-over" in job["spec"]["template"]["spec"]["containers"][0]["args"]
