"""Every reason that programs may read, and when it arises: of events, of conditions, and of children.

One word each, as `kubectl describe` shows them. They are part of the API: another word for the same thing breaks
whoever waits for it. No other module spells one out.
"""

from __future__ import annotations

import enum


class EventReason(enum.StrEnum):
    """Of an event about a pipeline."""

    ADOPTED = "Adopted"
    """The store already held games or iterations of a configuration, and they were taken over."""
    TAKEN_OVER = "TakenOver"
    """The store's claim was another pipeline's: it was old, of this namespace, or somebody asked for it."""
    ITERATION_STARTED = "IterationStarted"
    """The spec's values were frozen and an iteration's first tasks asked for."""
    ITERATION_FINISHED = "IterationFinished"
    """Every track of an iteration is settled and its record written."""
    TRACK_SKIPPED = "TrackSkipped"
    """An iteration began without a track: it has no stages yet, or its search has converged. Or it came to no verdict:
    its games were no evidence, or the champion's pointer moved meanwhile."""
    TRACK_FAILED = "TrackFailed"
    """A track ended without a verdict, or an accepted candidate could not be promoted."""
    NO_EVIDENCE = "NoEvidence"
    """The games of a gate, a regression test or a search decide nothing: too many were cut, or repeat each other; or a
    regression test was superseded, since the champion's pointer had moved."""
    GAMES_CUT = "GamesCut"
    """The move limit cut more than 5 % of a step's games; likewise the condition of this name."""
    PROMOTED = "Promoted"
    """A candidate became champion."""
    REJECTED = "Rejected"
    """A candidate did not pass its gate."""
    ROLLED_BACK = "RolledBack"
    """A champion gave way to its predecessor, by itself or because somebody asked."""
    POINTER_MOVED = "PointerMoved"
    """A promotion or a rollback found another champion than it was asked for: somebody moved the pointer by hand. It
    moved nothing, and the status takes over what the registry says."""
    NO_PREDECESSOR = "NoPredecessor"
    """Too many candidates in a row were rejected, and the champion has no predecessor to go back to."""
    TASK_DELAYED = "TaskDelayed"
    """A try said `not now` (exit 75) or its runner was lost: it is repeated after a pause, and counts as no attempt."""
    TASK_FAILED = "TaskFailed"
    """A try failed; the message says whether there will be another."""
    REQUEST_REFUSED = "RequestRefused"
    """An annotation asked for something that cannot be done."""
    NOT_CREATED = "NotCreated"
    """The API server refused a child, or its name is taken by an object that is not ours."""
    NOT_WRITTEN = "NotWritten"
    """The API server refuses the pipeline's status: nothing new starts until it can be written."""
    UNREADABLE = "Unreadable"
    """This version of the operator does not understand the pipeline, or a task of it: it stands still, and what runs of
    it goes on."""
    PHASE_CHANGED = "PhaseChanged"
    """status.phase is another one."""
    DRY_RUN = "DryRun"
    """With spec.dryRun: one line of what would be created."""
    STALLED = "Stalled"
    """The condition of this name has begun to hold; likewise those below."""
    DEGRADED = "Degraded"
    REGRESSED = "Regressed"
    SELFPLAY_STALLED = "SelfplayStalled"
    LOSS_DIVERGED = "LossDiverged"
    WORKER_OFFLINE = "WorkerOffline"


class FindingReason(enum.StrEnum):
    """Of a pipeline's condition: what was found, whether the condition holds or not."""

    PENDING = "Pending"
    """Ready is false: no store has been read yet. This and the next five are status.phase."""
    BOOTSTRAPPING = "Bootstrapping"
    """Ready is false: some configuration has not finished its first iteration."""
    IMPROVING = "Improving"
    """Every configuration is past its first iteration; an endless pipeline is Ready, and reconciles no more."""
    COMPLETED = "Completed"
    """Ready: every configuration has had its iterations."""
    SUSPENDED = "Suspended"
    """Ready and Reconciling are false: spec.suspend is true."""
    FAILED = "Failed"
    """Ready and Reconciling are false: a configuration stands still, or its last iteration came to nothing."""
    STALLED = "Stalled"
    """Ready and Reconciling are false: the condition Stalled says why."""
    DRY_RUN = "DryRun"
    """Ready and Reconciling are false: spec.dryRun is true."""
    PROGRESSING = "Progressing"
    """Reconciling: something runs, waits for room or pauses."""
    CHANGE_NEEDED = "ChangeNeeded"
    """Stalled: nothing moves, in whole or in part, until someone changes what the message says."""
    UNHINDERED = "Unhindered"
    """Stalled is false."""
    TASKS_FAIL = "TasksFail"
    """Degraded: tasks fail, are put off again and again, or cannot start; or a track failed in the last iteration, or
    came to no verdict in two in a row."""
    NO_PROGRESS = "NoProgress"
    """Degraded: no task fails, but one that runs has told no progress for alerts.progressStall."""
    TASKS_SUCCEED = "TasksSucceed"
    """Degraded is false."""
    CHAMPION_REGRESSED = "ChampionRegressed"
    """Regressed: a champion lost to its predecessor, in this iteration or the last one."""
    CHAMPIONS_HOLD = "ChampionsHold"
    """Regressed is false."""
    MOVE_LIMIT_REACHED = "MoveLimitReached"
    """GamesCut: the move limit cut more than 5 % of a step's games, in this iteration or the last one."""
    GAMES_END = "GamesEnd"
    """GamesCut is false."""
    NO_NEW_GAMES = "NoNewGames"
    """SelfplayStalled: running self-play has not grown for alerts.selfplayStall."""
    GAMES_ARRIVE = "GamesArrive"
    """SelfplayStalled is false: games come, or no self-play runs."""
    TRAINING_DIVERGED = "TrainingDiverged"
    """LossDiverged: a stage ended with exit code 3, in this iteration or the last one."""
    LOSS_FINITE = "LossFinite"
    """LossDiverged is false."""
    RUNNER_SILENT = "RunnerSilent"
    """WorkerOffline: a Runner pool has been silent for alerts.runnerOffline."""
    WORKERS_ONLINE = "WorkersOnline"
    """WorkerOffline is false."""


class PoolReason(enum.StrEnum):
    """Of a WorkerPool's condition Ready."""

    NODES_MATCH = "NodesMatch"
    """A ready node has the labels that the pool asks for."""
    NODES_NOT_VISIBLE = "NodesNotVisible"
    """The operator may not list nodes: the pool is taken at its word."""
    NO_NODE = "NoNode"
    """Not ready: no ready node has the labels; tasks are placed nevertheless, since autoscalers start from zero."""
    RUNNER_OFFLINE = "RunnerOffline"
    """Not ready: no runner has taken the pool."""
    SUSPENDED = "Suspended"
    """Not ready: spec.suspend is true."""
    UNREADABLE = "Unreadable"
    """Not ready: this version of the operator does not understand the pool, and gives it nothing."""


class ChildReason(enum.StrEnum):
    """Of a child that does not start or has failed. The platform has more words; these ones are acted upon."""

    UNSCHEDULABLE = "Unschedulable"
    """Kubernetes': no node has room for the Pod."""
    SUSPENDED = "Suspended"
    """Ours: a queue holds the Job."""
    NO_PODS = "NoPods"
    """Ours: its Job has got no Pod, and nobody says why. Where somebody does, it is Kubernetes' FailedCreate."""
    OUT_OF_MEMORY = "OOMKilled"
    """Kubernetes', and `local`'s: it took more memory than its slot, or its control group, has."""
    DEADLINE_EXCEEDED = "DeadlineExceeded"
    """Kubernetes', and `local`'s: it ran past its deadline."""


ONLY_WAITING = frozenset({ChildReason.UNSCHEDULABLE, ChildReason.SUSPENDED})
"""Of a child that does not start for want of room, or because a queue holds it: nothing is wrong."""
