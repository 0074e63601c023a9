"""Requests of the operator's own client, where the API server's answer is not simply yes."""

from __future__ import annotations

import asyncio

import kopf
import pytest

from ringrift_operator.kube.client import ApiError, Client
from ringrift_operator.kube.resource import JOBS, PIPELINES, Resource, uid_of
from tests.apiserver.connecting import login_to
from tests.apiserver.test_watch import job
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import Kubectl


def test_an_expired_token_is_read_again(control_plane: ControlPlane, namespace: str, kubectl: Kubectl) -> None:
    kubectl("create", "serviceaccount", "someone")
    kubectl("create", "rolebinding", "someone", "--clusterrole=edit", f"--serviceaccount={namespace}:someone")
    tokens = iter(["expired", kubectl("create", "token", "someone").strip()])
    admin = login_to(control_plane.kubeconfig)()

    def login() -> kopf.ConnectionInfo:
        return kopf.ConnectionInfo(server=admin.server, ca_path=admin.ca_path, token=next(tokens))

    async def scenario() -> None:
        async with Client(login) as client:
            created = await client.create(JOBS, job(namespace, "mine"))
            assert created["metadata"]["name"] == "mine"

    asyncio.run(scenario())


def test_a_refusal_carries_reason_and_sentence(control_plane: ControlPlane, namespace: str) -> None:
    async def scenario() -> None:
        async with Client(login_to(control_plane.kubeconfig)) as client:
            await client.create(JOBS, job(namespace, "taken"))
            with pytest.raises(ApiError, match=r'409 AlreadyExists: jobs\.batch "taken" already exists'):
                await client.create(JOBS, job(namespace, "taken"))
            mistaken = job(namespace, "mistaken")
            mistaken["spec"]["templete"] = {}
            with pytest.raises(ApiError, match=r'unknown field "spec\.templete"') as caught:
                await client.create(JOBS, mistaken)
            assert caught.value.is_refused

    asyncio.run(scenario())


def test_a_delete_never_hits_another_object_of_the_same_name(control_plane: ControlPlane, namespace: str) -> None:
    async def scenario() -> None:
        async with Client(login_to(control_plane.kubeconfig)) as client:
            old = await client.create(JOBS, job(namespace, "job"))
            await client.delete(JOBS, (namespace, "job"), uid_of(old))
            new = await client.create(JOBS, job(namespace, "job"))
            await client.delete(JOBS, (namespace, "job"), uid_of(old))
            found = await client.get(JOBS, (namespace, "job"))
            assert found is not None
            assert uid_of(found) == uid_of(new)

    asyncio.run(scenario())


def test_a_kind_is_served_or_not(control_plane: ControlPlane) -> None:
    async def scenario() -> None:
        async with Client(login_to(control_plane.kubeconfig)) as client:
            assert await client.serves(PIPELINES)
            assert not await client.serves(Resource(PIPELINES.api_version, "trainingpipelinez"))
            assert not await client.serves(Resource("nobody.example/v1", "things"))

    asyncio.run(scenario())
