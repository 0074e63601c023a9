"""The rules that are broken, one at a time: a text that occurs once in a file of the engine, and what replaces it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One wrong rule."""

    rule: str
    file: str
    found: str
    replaced: str


MUTANTS = (
    Mutant(
        "R081/D5: each placement count is judged as placed",
        "rules/placement.rs",
        "self.can_capture_from(&obstacles, slot, count, count) {",
        "self.can_capture_from(&obstacles, slot, count, 1) {",
    ),
    Mutant(
        "R091: a move goes at least as far as the stack is high",
        "rules/movement.rs",
        "for distance in height..blocked_at {",
        "for distance in 1.max(height - 1)..blocked_at {",
    ),
    Mutant(
        "R092/D20: own markers that are crossed collapse",
        "rules/movement.rs",
        "self.markers[mover].remove(slot);\n                self.collapse(slot);",
        "",
    ),
    Mutant(
        "R102: the captured ring goes to the bottom",
        "rules/capture.rs",
        "self.stacks.push_bottom(from, ring);",
        "self.stacks.push_top(from, ring);",
    ),
    Mutant(
        "R122: the ring for a line is waived when the mover controls no stack",
        "rules/lines.rs",
        "self.turn.line_debt = !self.controlled[mover].is_empty();",
        "self.turn.line_debt = true;",
    ),
    Mutant(
        "R142: the controllers inside a region are a strict subset of the active colours",
        "rules/territory.rs",
        "if inside >= active {",
        "if inside > active {",
    ),
    Mutant(
        "R145/D10: only the border that takes part in blocking a path collapses",
        "rules/territory.rs",
        "flood::<G>(G::spread(outside) & wall, wall) & G::spread(region)",
        "wall & G::spread(region)",
    ),
    Mutant(
        "R112: a fallback slide needs that no line slide exists",
        "rules/recovery.rs",
        "        if line_exists {\n            return;\n        }\n",
        "        let _ = line_exists;\n",
    ),
    Mutant(
        "R172/D16: the solo player must have taken a real action",
        "rules/last_player_standing.rs",
        "(Some((seat, mark)), None) if mark.taken => {",
        "(Some((seat, _)), None) => {",
    ),
    Mutant(
        "R171: territory must also exceed all the others' together",
        "rules/victory.rs",
        "own >= minimum && own > total - own",
        "own >= minimum",
    ),
    Mutant(
        "R173: at a stalemate hands count as eliminated",
        "rules/victory.rs",
        "            *rings += hand;\n",
        "            *rings += hand * 0;\n",
    ),
    Mutant(
        "R176: the later a seat lost its last ring, the better its rank",
        "rules/ranking.rs",
        "self.record.gone_at[seat],",
        "u32::MAX - self.record.gone_at[seat],",
    ),
    Mutant(
        "R103: a chain of captures must go on",
        "rules/legal.rs",
        "self.list_captures(self.turn.chain_from as usize, MoveKind::ContinueCaptureSegment, list);",
        "self.list_captures(self.turn.chain_from as usize, MoveKind::ContinueCaptureSegment, list);\n"
        "                list.push(Move::plain(MoveKind::SkipCapture));",
    ),
    Mutant(
        "R114/D19: in a recovery turn a region is paid with a buried ring",
        "rules/territory.rs",
        "if self.turn.recovered { RegionDebt::Buried } else { RegionDebt::Cap }",
        "RegionDebt::Cap",
    ),
    Mutant(
        "Encoding: planes are rotated to the seat to move",
        "encoding/frame.rs",
        "(seat + state.players() - state.mover()) % state.players()",
        "seat",
    ),
    Mutant(
        "Encoding: the heir's cap is that of the run below the cap",
        "encoding/planes.rs",
        "heir = colour.map(|colour| (colour, run));",
        "heir = colour.map(|colour| (colour, 1));",
    ),
    Mutant(
        "Encoding: packed counts keep every digit",
        "encoding/bitmaps.rs",
        "u32::BITS - board.rings_per_player().leading_zeros()",
        "u32::BITS - 1 - board.rings_per_player().leading_zeros()",
    ),
    Mutant(
        "Policy: a capture's landing has planes of its own",
        "encoding/policy.rs",
        "self.ray(slot(one.a()), slot(one.b()), layout.capture);",
        "self.ray(slot(one.a()), slot(one.b()), layout.land);",
    ),
    Mutant(
        "Policy: both ends of a line point at each other",
        "encoding/policy.rs",
        "self.towards(group, axis + self.layout.directions / 2, end)]",
        "self.towards(group, axis, end)]",
    ),
    Mutant(
        "Policy: a region is named by cells that symmetries keep",
        "encoding/policy.rs",
        "(distance_from_centre(board, x, y), least)",
        "(distance_from_centre(board, x, y), Some(pixel_of_cell(board, cell)).or(least))",
    ),
    Mutant(
        "Policy: keys of labels follow the seat to move",
        "encoding/policy.rs",
        "if label == 0 { 0 } else { 1 + relative(self.state, label - 1) }",
        "0",
    ),
    Mutant(
        "Exact states: the order of rings",
        "encoding/exact.rs",
        "state.stacks.rings(slot).for_each(|ring| self.seat(ring));",
        "state.stacks.rings(slot).collect::<Vec<_>>().into_iter().rev().for_each(|ring| self.seat(ring));",
    ),
    Mutant(
        "Rows: outcomes follow agents through a swap",
        "encoding/rows.rs",
        "starting_seat((mover + offset) % players, before_swap)",
        "(mover + offset) % players + (before_swap as usize & 0)",
    ),
    Mutant(
        "Rows: positions of note D12 are not turned",
        "encoding/rows.rs",
        "!(slides && state.has_axis_tie())",
        "slides || !slides",
    ),
    Mutant(
        "Rows: search values belong to seats",
        "encoding/rows.rs",
        "values[(state.mover() + offset) % players]",
        "values[offset]",
    ),
    Mutant(
        "Minimax: the table's upper bounds answer only below the window",
        "players/minimax/alpha_beta.rs",
        "Bound::Upper => worth <= low,",
        "Bound::Upper => worth <= low || worth > low,",
    ),
    Mutant(
        "Minimax: a swap moves the agent that is served",
        "players/minimax/aim.rs",
        "hero: if swapped && hero < 2 { 1 - hero } else { hero },",
        "hero: if swapped && hero > 2 { 1 - hero } else { hero },",
    ),
    Mutant(
        "Minimax: in best-reply search one opponent replies",
        "players/minimax/aim.rs",
        "replied: replied.map(|_| state.mover() != hero),",
        "replied: replied.map(|_| false),",
    ),
    Mutant(
        "Max^n: the first of equal moves",
        "players/minimax/max_n.rs",
        "if values[mover] > most {",
        "if values[mover] >= most {",
    ),
    Mutant(
        "Descent: links are renumbered when the root moves on",
        "players/descent/tree.rs",
        "child.node = child.node.map(|node| number[node as usize]);",
        "child.node = child.node.map(|node| number[node as usize].min(1));",
    ),
    Mutant(
        "Descent: of open moves the most visited is the safest",
        "players/descent/search.rs",
        "if exploration > 0.0 { 0 } else { root.children[*index].visits };",
        "if exploration >= 0.0 { 0 } else { root.children[*index].visits };",
    ),
    Mutant(
        "Judges: noise is in the judge's own unit",
        "players/one_ply.rs",
        "best_by(&worths, noise * judge.noise_unit(), random)",
        "best_by(&worths, noise, random)",
    ),
    Mutant(
        "Judges: a refuted move is behind by a step of the judge's own temperature",
        "players/minimax/deepening.rs",
        "behind.max(self.step)",
        "behind.max(0.6)",
    ),
    Mutant(
        "Judges: the parent of siblings is told before they are estimated",
        "players/completion.rs",
        "    sight.approach(state, 0);\n",
        "",
    ),
    Mutant(
        "Asked judges: the policy is the prior of a tree search",
        "players/asked.rs",
        "logits.map_or(Prior::Uniform, Prior::Policy)",
        "logits.map_or(Prior::Uniform, |_| Prior::Uniform)",
    ),
    Mutant(
        "Asked judges: a player by policy goes by its logits",
        "players/asked.rs",
        "*logit += draw",
        "*logit = draw",
    ),
    Mutant(
        "Asked judges: a policy is read where it is welcome",
        "drivers/inquiry.rs",
        "filter(|_| *wish > Wish::No)",
        "filter(|_| *wish > Wish::IfThereIsOne)",
    ),
)
