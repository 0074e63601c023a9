"""RingRift: the rules engine, the players and the training stages.

`Game` is loaded on first use: the stage contract must import where no engine is built (the operator). Nothing is
imported here, for a command begins here: `entry` first looks after where modules come from.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ringrift_core.game import Game, Move, Outcome, RulesError

__all__ = ["Game", "Move", "Outcome", "RulesError"]


def __getattr__(name: str) -> object:
    if name in __all__:
        from ringrift_core import game

        return getattr(game, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
