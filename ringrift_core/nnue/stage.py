"""The stage nnue: a candidate NNUE from the exported dataset, starting from the champion where there is one."""

from __future__ import annotations

from ringrift_core.archive import Checkpoint
from ringrift_core.contract import NnueParameters, NnueResult, StageResult
from ringrift_core.dataset.manifest import DatasetManifest
from ringrift_core.nn.determinism import determine, device_of
from ringrift_core.nn.positions import Aim
from ringrift_core.nnue.candidate import card_of, initial_network, keep, run_epochs
from ringrift_core.nnue.measures import compare_siblings
from ringrift_core.nnue.positions import load_positions
from ringrift_core.nnue.training import Plan, Training
from ringrift_core.stage import Outcome, Run

__all__ = ["nnue_stage"]

TASK = "nnue"
NEW_LEARNING_RATE = 2e-3
RESUMED_LEARNING_RATE = 5e-4


def nnue_stage(parameters: NnueParameters, run: Run) -> StageResult:
    """Trains once per iteration; a killed training goes on after its last whole epoch."""
    result = run.once(parameters.iteration, TASK, parameters, lambda: _train(parameters, run))
    Checkpoint(run.archive, parameters.iteration, TASK, parameters.attempt).clear()
    return result


def _train(parameters: NnueParameters, run: Run) -> Outcome:
    device = device_of(parameters.device)
    dataset = DatasetManifest.load(run.archive, parameters.dataset)
    train, held_out, siblings = load_positions(run, dataset, Aim(parameters.outcome_weight, parameters.clean_outcomes))
    determine(parameters.seed)
    network = initial_network(parameters, run)
    rate = RESUMED_LEARNING_RATE if parameters.nnue_version else NEW_LEARNING_RATE
    plan = Plan(parameters.seed, parameters.epochs, parameters.batch_size, rate)
    training = Training(network, plan, train, held_out, device)
    run_epochs(parameters, run, TASK, training)
    candidate = keep(run, training, siblings.states)
    told = compare_siblings(candidate.judge, siblings)
    best = min(training.figures, key=lambda figures: figures.held_out_loss)
    result = NnueResult(
        train_loss=best.train_loss,
        held_out_loss=best.held_out_loss,
        held_out_accuracy=best.held_out_accuracy,
        pearson=best.pearson,
        spearman=told.spearman,
        top_move=told.top,
        siblings=told.positions,
        epochs=len(training.figures),
        best_epoch=best.epoch,
    )
    card = card_of(parameters, candidate, result.model_dump(), outcome_weight=parameters.outcome_weight)
    return Outcome(
        outputs={"candidate": card.save(run.archive), **candidate.files},
        result=result,
        message=f"{len(training.figures)} epochs, best {best.epoch}: held-out loss {best.held_out_loss:.4f}, "
        f"accuracy {best.held_out_accuracy:.3f}, rank correlation among siblings {told.spearman:.3f}",
    )
