"""The claim of a configuration's store: which pipeline may move what it holds, by compare-and-swap (docs/store.md).

`adopt` takes it, and everything that moves what others read holds it up first. It fences nobody who moves a pointer by
hand, and no store that nobody has claimed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pydantic import Field

from ringrift_core.archive import Archive, from_stored_json, to_stored_json
from ringrift_core.contract import ClaimParameters, Contract, Holder
from ringrift_core.contract.reading import CONTRACT_VERSION
from ringrift_core.errors import HeldError

__all__ = ["LIVE_FOR", "Claim", "check_claim", "check_unheld", "give_back_claim", "read_claim", "take_claim"]

LIVE_FOR = timedelta(hours=1)
"""A claim whose holder has not written for so long may be taken over."""

_NAME = "claim.json"


class Claim(Contract):
    """Who holds the store. One that was given back names nobody, and no time: runs can be compared by content."""

    contract_version: str = Field(default=CONTRACT_VERSION, description="Version of the contract it was written by.")
    holder: Holder | None = None
    renewed_at: datetime | None = Field(default=None, description="When the holder last moved something, or adopted.")


def read_claim(archive: Archive) -> tuple[Claim | None, str | None]:
    """The claim, and the version to swap it by; None where nobody has ever claimed the store."""
    found = archive.store.read(archive.key(_NAME))
    if found is None:
        return None, None
    place = f"{archive.store.uri}/{archive.key(_NAME)}"
    return from_stored_json(Claim, found.content, place, "a claim (delete it to go on without)"), found.version


def take_claim(archive: Archive, parameters: ClaimParameters, now: datetime | None = None) -> Holder | None:
    """Takes or renews the claim for the parameters' holder; from whom it was taken over, None if from nobody.

    HeldError while another holder's is live. Pipelines of one namespace take over from each other: of two that are
    there the operator lets only the elder one in. Without a holder nothing is claimed.
    """
    if parameters.holder is None:
        return None
    now = now or datetime.now(UTC)
    archive.check_writable(_NAME)
    while True:
        claim, version = read_claim(archive)
        other = _other(claim, parameters.holder)
        if claim is not None and other is not None and not parameters.take_over:
            is_neighbour = (other.cluster, other.namespace) == (parameters.holder.cluster, parameters.holder.namespace)
            if not is_neighbour and _is_live(claim, now):
                raise _held(archive, claim, other)
        if _write(archive, Claim(holder=parameters.holder, renewed_at=now), version):
            return other


def check_claim(archive: Archive, parameters: ClaimParameters, now: datetime | None = None) -> None:
    """Renews the claim before something is moved; HeldError when it is another's, however old.

    Nothing is written without a holder, nor to a store without a claim; one that was given back is taken.
    """
    if parameters.holder is None:
        return
    while True:
        claim, version = read_claim(archive)
        if claim is None:
            return
        other = _other(claim, parameters.holder)
        if other is not None and not parameters.take_over:
            raise _held(archive, claim, other)
        if _write(archive, Claim(holder=parameters.holder, renewed_at=now or datetime.now(UTC)), version):
            return


def check_unheld(archive: Archive, advice: str, now: datetime | None = None) -> None:
    """For a person, who leaves alone what a pipeline is at work on: HeldError, with `advice`, while a claim is live."""
    claim, _ = read_claim(archive)
    if claim is not None and claim.holder is not None and _is_live(claim, now or datetime.now(UTC)):
        held = _held(archive, claim, claim.holder)
        raise HeldError(f"{held}; {advice}")


def give_back_claim(archive: Archive, holder: Holder) -> bool:
    """Lets the next one in without a wait; False when the claim is not the holder's."""
    while True:
        claim, version = read_claim(archive)
        if claim is None or claim.holder != holder:
            return False
        if _write(archive, Claim(), version):
            return True


def _other(claim: Claim | None, holder: Holder) -> Holder | None:
    """Whose claim it is, if somebody else's."""
    return claim.holder if claim is not None and claim.holder != holder else None


def _is_live(claim: Claim, now: datetime) -> bool:
    return claim.renewed_at is None or now - claim.renewed_at < LIVE_FOR


def _write(archive: Archive, claim: Claim, version: str | None) -> bool:
    return archive.store.swap(archive.key(_NAME), to_stored_json(claim), version)


def _held(archive: Archive, claim: Claim, other: Holder) -> HeldError:
    written = "" if claim.renewed_at is None else f", which last wrote to it at {claim.renewed_at:%Y-%m-%d %H:%M UTC}"
    return HeldError(
        f"{archive.configuration} in {archive.store.uri} is held by pipeline {other.namespace}/{other.pipeline} of "
        f"cluster {other.cluster}{written}"
    )
