"""RingRift for reinforcement learning: a PettingZoo AEC environment with action masks.

>>> from ringrift_core import env
>>> game = env.env(board="hex8", players=3)
>>> game.reset(seed=1)
>>> observation, reward, termination, truncation, info = game.last()
>>> game.step(game.action_space(game.agent_selection).sample(observation["action_mask"]))

An agent acts wherever it has a choice; moves that are the only legal ones are played by the environment. One agent may
act several times in a row. `swap_sides` exchanges agents: `player_0` then sits at seat 2, and `info["seat"]` says so.

Actions are the policy keys of docs/encoding.md, so a network's policy output is indexed by actions. Every move has its
own: where a stack lands and from which direction, say. Only a recovery slide takes two actions in a row, the slide and
then the stack or the cells that it is paid with; between them the slide is marked in the observation's last plane.

`observation` [C, H, W] holds the planes and then, a plane each, the global features of docs/encoding.md, as seen by the
seat to move, whoever asks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

try:
    import gymnasium
    import numpy as np
    import pettingzoo
    from pettingzoo.utils import wrappers
except ModuleNotFoundError as missing:
    sentence = f"{missing.name} is not installed: pip install 'ringrift[env]'"
    raise ModuleNotFoundError(sentence, name=missing.name) from None
from numpy.typing import NDArray

from ringrift_core import _engine
from ringrift_core._engine import Outcome, Position
from ringrift_core.drawing.layout import LAYOUTS, parse_cell
from ringrift_core.drawing.terminal import draw_text
from ringrift_core.game import Game

__all__ = ["Observation", "env", "raw_env"]

Observation: TypeAlias = dict[str, NDArray[Any]]
"""`observation` float32 [C, H, W] and `action_mask` int8 [actions]; the mask of an agent that is not to act is 0."""

Path: TypeAlias = tuple[int, ...]
"""The actions that make a move."""

ILLEGAL_REWARD = -1.0


def env(**options: Any) -> pettingzoo.AECEnv[str, Observation, int]:
    """`raw_env` with PettingZoo's usual wrappers: an illegal action ends the game at a reward of -1 for its agent."""
    wrapped = wrappers.TerminateIllegalWrapper(raw_env(**options), illegal_reward=ILLEGAL_REWARD)
    return wrappers.OrderEnforcingWrapper(wrappers.AssertOutOfBoundsWrapper(wrapped))


class raw_env(pettingzoo.AECEnv[str, Observation, int]):  # type: ignore[misc]  # noqa: N801 - PettingZoo's name for it
    """The environment itself: an illegal action is a ValueError.

    `rewards`, all at the end and summing to 0: "winner" gives 1 to the winner and -1/(players-1) to the others, "ranks"
    from 1 to -1 in even steps by rank, ties sharing theirs. A game longer than `max_turns` turns is truncated at 0 for
    all. `swap` None: the pie rule is on with two players.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 - PettingZoo's declaration
        "name": "ringrift_v0",
        "render_modes": ["human", "ansi"],
        "is_parallelizable": False,
        "render_fps": 2,
    }

    def __init__(
        self,
        board: str = "square8",
        players: int = 2,
        *,
        swap: bool | None = None,
        max_turns: int = 500,
        rewards: Literal["winner", "ranks"] = "winner",
        render_mode: Literal["human", "ansi"] | None = None,
    ) -> None:
        super().__init__()
        if max_turns < 1:
            raise ValueError(f"max_turns: {max_turns}, expected at least 1")
        if rewards not in ("winner", "ranks"):
            raise ValueError(f"rewards: {rewards!r} is neither winner nor ranks")
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise ValueError(f"render_mode: {render_mode!r} is neither human nor ansi")
        self._options = (board, players, "canonical", swap)
        self._max_turns = max_turns
        self._reward_by = rewards
        self.render_mode = render_mode
        self._position = Position(*self._options)
        self.possible_agents = [f"player_{index}" for index in range(players)]
        self.agents: list[str] = []
        planes, height, width, features = _engine.encoding_shape(board, players)
        shape = (planes + features + 1, height, width)
        actions = _engine.policy_size(board, players)
        # No number of the encoding is larger: the rings of the game bound every count and height.
        most = float(players * Game(board, players).state()["hand"][0])
        self.observation_spaces = {agent: _observation_space(shape, actions, most) for agent in self.possible_agents}
        self.action_spaces = {agent: gymnasium.spaces.Discrete(actions) for agent in self.possible_agents}

    def observation_space(self, agent: str) -> gymnasium.spaces.Space[Any]:
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> gymnasium.spaces.Discrete:
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: Mapping[str, Any] | None = None) -> None:  # noqa: ARG002
        """A new game; or `options={"state": ...}`, as `Game.state` gives it, with player i - 1 at seat i.

        The game has no chance: `seed`, which PettingZoo hands over, changes nothing. RulesError refuses a broken state.
        """
        state = (options or {}).get("state")
        game = Game(*self._options) if state is None else Game.from_state(state, *self._options)
        if game.outcome() is not None:
            raise ValueError("options: the game of this state is over")
        self._position = game._position
        self._seated = list(self.possible_agents)
        self._begun: Path = ()
        self._open: dict[Path, str] = {}
        self.agents = list(self.possible_agents)
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self._settle()
        self._tell()

    def observe(self, agent: str) -> Observation:
        planes, features = _engine.encode_position(self._position)
        slide = np.zeros((1, *planes.shape[1:]), dtype=np.float32)
        if self._begun:
            self._mark(slide[0])
        constant = np.broadcast_to(features[:, None, None], (len(features), *planes.shape[1:]))
        mask = np.zeros(self.action_spaces[agent].n, dtype=np.int8)
        if agent == self.agent_selection and not (self.terminations[agent] or self.truncations[agent]):
            mask[[path[len(self._begun)] for path in self._open]] = 1
        return {"observation": np.concatenate([planes, constant, slide]), "action_mask": mask}

    def step(self, action: int | None) -> None:
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        if action is None or not self.notation(action):
            raise ValueError(f"action {action}: not legal for {agent} in phase {self._position.phase}")
        self._cumulative_rewards[agent] = 0.0
        self._clear_rewards()
        self._begun += (int(action),)
        self._settle()
        if outcome := self._position.outcome():
            self._end(outcome)
        elif self._position.turn > self._max_turns:
            self.truncations = dict.fromkeys(self.agents, True)
        self._tell()
        self._accumulate_rewards()
        if self.render_mode == "human":
            self.render()

    def render(self) -> str | None:
        """The board as text: returned in mode ansi, printed in mode human."""
        if self.render_mode is None:
            gymnasium.logger.warn("render() does nothing without a render_mode: human or ansi")
            return None
        text = draw_text(self._position.board, json.loads(self._position.to_json()), outcome=_ending(self._position))
        if self.render_mode == "ansi":
            return text
        print(text)
        return None

    def close(self) -> None:
        """Nothing is held open."""

    def notation(self, action: int) -> list[str]:
        """The legal moves that an action makes or begins, in notation; empty for an illegal action."""
        return [move for path, move in self._open.items() if path[len(self._begun)] == action]

    def _settle(self) -> None:
        """Plays what is chosen or the only legal move, until somebody has a choice or the game is over."""
        while True:
            keys = _engine.move_keys(self._position)
            self._open = {
                path: move
                for path, move in ((action_path(move, keys[move]), move) for move in keys)
                if path[: len(self._begun)] == self._begun
            }
            if len(self._open) != 1:
                return
            self._play(*self._open.values())

    def _play(self, move: str) -> None:
        self._position.play(move)
        self._begun = ()
        if move == "swap_sides":
            self._seated[0], self._seated[1] = self._seated[1], self._seated[0]

    def _tell(self) -> None:
        self.agent_selection = self._seated[self._position.mover - 1]
        self.infos = {agent: {"seat": self._seated.index(agent) + 1} for agent in self.agents}

    def _end(self, outcome: Outcome) -> None:
        self.terminations = dict.fromkeys(self.agents, True)
        rewards = by_winner(outcome) if self._reward_by == "winner" else by_ranks(outcome)
        self.rewards = {agent: rewards[seat] for seat, agent in enumerate(self._seated)}

    def _mark(self, plane: NDArray[np.float32]) -> None:
        """1 at both ends of the slide that was begun."""
        layout = LAYOUTS[self._position.board]
        offset = layout.extent if layout.hexagonal else 0
        slide = next(iter(self._open.values())).split()[1]
        for x, y in map(parse_cell, slide.split(">")):
            plane[y + offset, x + offset] = 1


def action_path(move: str, keys: tuple[int, ...]) -> Path:
    """The actions of a move: of its policy keys (ascending, docs/encoding.md) those that tell it from the others."""
    match move.split()[0]:
        case "recovery_slide":  # the slide; then what pays for it, or the first end of the cells that are collapsed
            slide, *payer = keys if " opt=2 " not in move else (keys[-1], keys[0])
            return slide, *payer
        case "overtaking_capture" | "continue_capture_segment":  # origin, landing, target
            return (keys[1],)
        case "move_stack":  # origin, landing
            return (keys[1],)
        case _:  # one key, or the first of the keys at the ends of a line or in a region
            return keys[:1]


def by_winner(outcome: Outcome) -> list[float]:
    """1 for the winner's seat, the rest shared out."""
    others = -1.0 / (len(outcome.ranks) - 1)
    return [1.0 if seat == outcome.winner else others for seat in range(1, len(outcome.ranks) + 1)]


def by_ranks(outcome: Outcome) -> list[float]:
    """From 1 to -1 in even steps; seats that share a rank share the rewards of the places they take up."""
    last = len(outcome.ranks) - 1
    return [1.0 - (2 * (rank - 1) + outcome.ranks.count(rank) - 1) / last for rank in outcome.ranks]


def _ending(position: Position) -> dict[str, Any] | None:
    outcome = position.outcome()
    return None if outcome is None else {"winner": outcome.winner, "reason": outcome.reason}


def _observation_space(shape: tuple[int, int, int], actions: int, most: float) -> gymnasium.spaces.Dict:
    return gymnasium.spaces.Dict(
        {
            "observation": gymnasium.spaces.Box(0.0, most, shape, np.float32),
            "action_mask": gymnasium.spaces.Box(0, 1, (actions,), np.int8),
        }
    )
