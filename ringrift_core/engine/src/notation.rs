//! Moves to and from the notation of docs/trace-format.md.

use std::fmt::Write;

use crate::bits::Bits;
use crate::board::{Board, Geometry};
use crate::error::Error;
use crate::moves::{Move, MoveKind, MoveList, NO_CELL};
use crate::rays;
use crate::rules::lines::Run;
use crate::setup::Profile;
use crate::state::State;

/// Writes a cell as `x,y`; `?` if there is no such cell.
pub(crate) fn write_cell(board: Board, cell: usize, text: &mut String) {
    if cell < board.cells() {
        let (x, y) = board.coordinates(cell);
        let _ = write!(text, "{x},{y}");
    } else {
        text.push('?');
    }
}

/// A cell as `x,y`.
pub(crate) fn cell_text(board: Board, cell: usize) -> String {
    let mut text = String::new();
    write_cell(board, cell, &mut text);
    text
}

/// Reads `x,y` as a cell of the board.
pub(crate) fn parse_cell(board: Board, text: &str) -> Result<usize, String> {
    let number = |part: &str| {
        let value: i32 = part.parse().ok()?;
        (value.to_string() == part).then_some(value)
    };
    let Some((x, y)) = text.split_once(',').and_then(|(x, y)| Some((number(x)?, number(y)?))) else {
        return Err(format!("{text:?} is no cell: write x,y as two whole numbers"));
    };
    board.cell_at(x, y).ok_or_else(|| {
        let range = match board.is_hex() {
            false => format!("0..{}", board.size() - 1),
            true => format!("|x|, |y|, |x+y| up to {}", board.radius()),
        };
        format!("{text} is off the board {} ({range})", board.name())
    })
}

impl<G: Geometry> State<G> {
    /// The move in notation. Moves that are legal here read back as themselves.
    pub fn describe(&self, one: Move) -> String {
        let mut text = String::new();
        self.write_move(one, &mut text);
        text
    }

    /// Appends the move in notation.
    pub fn write_move(&self, one: Move, text: &mut String) {
        let kind = one.kind();
        let cell = |text: &mut String, before: &str, cell: usize| {
            text.push_str(before);
            write_cell(G::BOARD, cell, text);
        };
        text.push_str(kind.name());
        match kind {
            MoveKind::PlaceRing => {
                cell(text, " ", one.a());
                let _ = write!(text, " n={}", one.b());
            }
            MoveKind::MoveStack => {
                cell(text, " ", one.a());
                cell(text, ">", one.b());
            }
            MoveKind::OvertakingCapture | MoveKind::ContinueCaptureSegment => {
                cell(text, " ", one.a());
                cell(text, "x", one.c());
                cell(text, ">", one.b());
            }
            MoveKind::ForcedElimination => cell(text, " ", one.a()),
            MoveKind::EliminateForLine | MoveKind::EliminateForTerritory | MoveKind::EliminateForRecovery => {
                cell(text, " ", one.a());
                text.push_str(match kind {
                    MoveKind::EliminateForLine => " ctx=line",
                    MoveKind::EliminateForTerritory => " ctx=territory",
                    _ => " ctx=recovery",
                });
            }
            MoveKind::RecoveryLine
            | MoveKind::RecoverySegment
            | MoveKind::RecoveryFallback
            | MoveKind::RecoveryStrike => {
                cell(text, " ", one.a());
                cell(text, ">", one.b());
                self.write_recovery_options(one, text);
            }
            MoveKind::ProcessLine | MoveKind::ChooseWholeLine | MoveKind::ChooseLineSegment => {
                self.write_line(one, text);
            }
            MoveKind::ChooseTerritoryOption => {
                let known = one.a() < G::BOARD.cells() && one.b() <= self.players();
                let region = known.then(|| self.region_of(Self::slot_of(one.a()), one.b()));
                self.write_cells(" ", region, text);
            }
            MoveKind::SkipPlacement
            | MoveKind::NoPlacementAction
            | MoveKind::SwapSides
            | MoveKind::SkipCapture
            | MoveKind::NoMovementAction
            | MoveKind::SkipRecovery
            | MoveKind::NoLineAction
            | MoveKind::SkipTerritoryProcessing
            | MoveKind::NoTerritoryAction => {}
        }
    }

    fn write_recovery_options(&self, one: Move, text: &mut String) {
        text.push_str(match one.kind() {
            MoveKind::RecoveryLine => " mode=line opt=1",
            MoveKind::RecoverySegment => " mode=line opt=2",
            MoveKind::RecoveryFallback => " mode=fallback",
            _ => " mode=stack_strike",
        });
        if one.kind() == MoveKind::RecoverySegment {
            let known = one.a() < G::BOARD.cells() && one.b() < G::BOARD.cells();
            let cells =
                known.then(|| self.recovery_cells(Self::slot_of(one.a()), Self::slot_of(one.b()), Some(one.c())));
            self.write_cells(" collapse=", cells.flatten(), text);
        } else if one.c() != NO_CELL {
            text.push_str(" extract=");
            write_cell(G::BOARD, one.c(), text);
        }
    }

    fn write_line(&self, one: Move, text: &mut String) {
        let known = one.a() < G::BOARD.cells() && one.b() < G::BOARD.axes();
        let markers = self.markers[self.mover()];
        let run = known.then(|| Self::run_through(&markers, Self::slot_of(one.a()), one.b()));
        let whole = run.map(|run| run.cells::<G>(0, run.length));
        self.write_cells(" ", whole, text);
        match one.kind() {
            MoveKind::ChooseWholeLine => self.write_cells(" collapse=", whole, text),
            MoveKind::ChooseLineSegment => {
                self.write_cells(" collapse=", self.segment(one).map(|(_, cells)| cells), text);
            }
            _ => {}
        }
    }

    /// The run and the cells of a `ChooseLineSegment`, if its L cells are on the board.
    fn segment(&self, one: Move) -> Option<(Run, G::Bits)> {
        if one.a() >= G::BOARD.cells() || one.b() >= G::BOARD.axes() {
            return None;
        }
        let length = self.line_length();
        let start = Self::slot_of(one.a());
        let run = Run { start, axis: one.b(), length };
        (rays::length::<G>(start, one.b()) + 1 >= length).then(|| (run, run.cells::<G>(0, length)))
    }

    /// Writes cells sorted by (x, y); `?` if there are none to write.
    fn write_cells(&self, before: &str, cells: Option<G::Bits>, text: &mut String) {
        text.push_str(before);
        let Some(cells) = cells else {
            text.push_str("[?]");
            return;
        };
        let mut sorted = Vec::new();
        cells.for_each(|slot| sorted.push((G::tables().x[slot], G::tables().y[slot])));
        sorted.sort_unstable();
        for (index, (x, y)) in sorted.into_iter().enumerate() {
            let _ = write!(text, "{}{x},{y}", if index == 0 { '[' } else { ';' });
        }
        text.push(']');
    }

    /// Reads a move in notation. The result is a move of this state's board in form; `play` says whether it is legal.
    pub fn parse_move(&self, text: &str) -> Result<Move, Error> {
        let shown: String = text.chars().take(200).collect();
        self.read_move(text).map_err(|reason| Error::new(format!("move {shown:?}"), reason))
    }

    fn read_move(&self, text: &str) -> Result<Move, String> {
        let mut words = text.split(' ');
        let name = words.next().unwrap_or_default();
        let words: Vec<&str> = words.collect();
        let cell = |text: &str| parse_cell(G::BOARD, text);
        let expect = |count: usize, form: &str| match words.len() == count {
            true => Ok(()),
            false => Err(format!("expected `{name}{form}`")),
        };
        if let Some(kind) = MoveKind::ALL.into_iter().find(|kind| kind.name() == name && kind.is_bare()) {
            expect(0, "")?;
            return Ok(Move::plain(kind));
        }
        match name {
            "place_ring" => {
                expect(2, " X,Y n=1..3")?;
                let count = match words[1] {
                    "n=1" => 1,
                    "n=2" => 2,
                    "n=3" => 3,
                    other => return Err(format!("{other:?}: expected n=1, n=2 or n=3")),
                };
                Ok(Move::new(MoveKind::PlaceRing, cell(words[0])?, count, 0))
            }
            "move_stack" => {
                expect(1, " FROM>TO")?;
                let (from, to) = words[0].split_once('>').ok_or("expected `move_stack FROM>TO`")?;
                Ok(Move::new(MoveKind::MoveStack, cell(from)?, cell(to)?, 0))
            }
            "overtaking_capture" | "continue_capture_segment" => {
                expect(1, " FROMxTARGET>LANDING")?;
                let parts = words[0].split_once('x').and_then(|(from, rest)| Some((from, rest.split_once('>')?)));
                let Some((from, (target, landing))) = parts else {
                    return Err(format!("expected `{name} FROMxTARGET>LANDING`"));
                };
                let kind = match name {
                    "overtaking_capture" => MoveKind::OvertakingCapture,
                    _ => MoveKind::ContinueCaptureSegment,
                };
                Ok(Move::new(kind, cell(from)?, cell(landing)?, cell(target)?))
            }
            "forced_elimination" => {
                expect(1, " X,Y")?;
                Ok(Move::new(MoveKind::ForcedElimination, cell(words[0])?, 0, 0))
            }
            "eliminate_rings_from_stack" => {
                expect(2, " X,Y ctx=line|territory|recovery")?;
                let kind = match words[1] {
                    "ctx=line" => MoveKind::EliminateForLine,
                    "ctx=territory" => MoveKind::EliminateForTerritory,
                    "ctx=recovery" => MoveKind::EliminateForRecovery,
                    other => return Err(format!("{other:?}: expected ctx=line, ctx=territory or ctx=recovery")),
                };
                Ok(Move::new(kind, cell(words[0])?, 0, 0))
            }
            "recovery_slide" => self.read_recovery(&words),
            "process_line" => {
                expect(1, " [cells]")?;
                self.read_line(words[0], None)
            }
            "choose_line_option" => {
                expect(2, " [cells] collapse=[cells]")?;
                let collapse = words[1].strip_prefix("collapse=").ok_or("expected collapse=[cells]")?;
                self.read_line(words[0], Some(collapse))
            }
            "choose_territory_option" => {
                expect(1, " [cells]")?;
                self.read_region(words[0])
            }
            _ => Err("no such move type".to_string()),
        }
    }

    fn read_recovery(&self, words: &[&str]) -> Result<Move, String> {
        const FORM: &str = "expected `recovery_slide FROM>TO mode=line opt=1 extract=X,Y`, `... mode=line opt=2 \
                            collapse=[cells]`, or `... mode=fallback|stack_strike extract=X,Y`";
        let slide = words.first().and_then(|slide| slide.split_once('>')).ok_or(FORM)?;
        let (from, to) = (parse_cell(G::BOARD, slide.0)?, parse_cell(G::BOARD, slide.1)?);
        let payer = |word: &str| parse_cell(G::BOARD, word.strip_prefix("extract=").ok_or(FORM)?);
        match words[1..] {
            ["mode=line", "opt=1"] => Ok(Move::new(MoveKind::RecoveryLine, from, to, NO_CELL)),
            ["mode=line", "opt=1", word] => Ok(Move::new(MoveKind::RecoveryLine, from, to, payer(word)?)),
            ["mode=fallback", word] => Ok(Move::new(MoveKind::RecoveryFallback, from, to, payer(word)?)),
            ["mode=stack_strike", word] => Ok(Move::new(MoveKind::RecoveryStrike, from, to, payer(word)?)),
            ["mode=line", "opt=2", word] => {
                let wanted = self.read_cells(word.strip_prefix("collapse=").ok_or(FORM)?)?;
                let run = self.slide_line(Self::slot_of(from), Self::slot_of(to));
                let length = self.line_length();
                let first = run
                    .and_then(|run| (0..=run.length - length).find(|first| run.cells::<G>(*first, length) == wanted));
                let first = first.ok_or("the cells to collapse are no part of a line that the slide completes")?;
                Ok(Move::new(MoveKind::RecoverySegment, from, to, first))
            }
            _ => Err(FORM.to_string()),
        }
    }

    /// Reads `[x,y;x,y]`, sorted by (x, y), each cell once.
    fn read_cells(&self, text: &str) -> Result<G::Bits, String> {
        let inner = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .ok_or_else(|| format!("{:?} is no cell list: expected [x,y;x,y;...]", clipped(text)))?;
        let mut cells = G::Bits::EMPTY;
        let mut previous = None;
        for part in inner.split(';') {
            let cell = parse_cell(G::BOARD, part)?;
            let place = G::BOARD.coordinates(cell);
            if previous.is_some_and(|before| before >= place) {
                return Err(format!("cell {part}: a cell list is sorted by (x, y), each cell once"));
            }
            previous = Some(place);
            cells.insert(Self::slot_of(cell));
        }
        Ok(cells)
    }

    /// The run that consists of exactly these cells.
    fn read_run(&self, cells: G::Bits) -> Result<Run, String> {
        let length = cells.count() as usize;
        let run = (0..G::BOARD.axes()).find_map(|axis| {
            let mut found = None;
            cells.any(|slot| {
                let run = Run { start: slot, axis, length };
                if rays::length::<G>(slot, axis) + 1 >= length && run.cells::<G>(0, length) == cells {
                    found = Some(run);
                }
                found.is_some()
            });
            found
        });
        run.ok_or_else(|| "the cells are not consecutive along a line axis".to_string())
    }

    fn read_line(&self, line: &str, collapse: Option<&str>) -> Result<Move, String> {
        let cells = self.read_cells(line)?;
        let run = self.read_run(cells)?;
        let wanted = self.line_length();
        let whole = |kind| Ok(Move::new(kind, Self::cell_of(run.start), run.axis, 0));
        let lenient = self.setup.profile() == Profile::Deployed;
        if run.length < wanted {
            return Err(format!("{} cells: a line has at least {wanted} here", run.length));
        }
        let Some(collapse) = collapse else {
            return match run.length == wanted {
                true => whole(MoveKind::ProcessLine),
                // Alias N2.
                false if lenient => whole(MoveKind::ChooseWholeLine),
                false => Err(format!("a line of more than {wanted} cells is collapsed by choose_line_option")),
            };
        };
        let chosen = self.read_cells(collapse)?;
        if run.length == wanted {
            // Alias N1.
            return match lenient && chosen == cells {
                true => whole(MoveKind::ProcessLine),
                false => Err(format!("a line of exactly {wanted} cells is collapsed by process_line")),
            };
        }
        if chosen == cells {
            return whole(MoveKind::ChooseWholeLine);
        }
        let first = (0..=run.length - wanted).find(|first| run.cells::<G>(*first, wanted) == chosen);
        let first = first.ok_or_else(|| format!("collapse= is neither the line nor {wanted} cells in a row of it"))?;
        let markers = self.markers[self.mover()];
        if Self::run_through(&markers, run.start, run.axis) != run {
            return Err("not legal: the cells are not a whole line of the seat to move".to_string());
        }
        let start = Self::cell_of(rays::at::<G>(run.start, run.axis, first));
        Ok(Move::new(MoveKind::ChooseLineSegment, start, run.axis, 0))
    }

    fn read_region(&self, text: &str) -> Result<Move, String> {
        let cells = self.read_cells(text)?;
        let mut list = MoveList::new();
        self.legal_moves(&mut list);
        list.iter()
            .copied()
            .filter(|one| one.kind() == MoveKind::ChooseTerritoryOption)
            .find(|one| self.region_of(Self::slot_of(one.a()), one.b()) == cells)
            .ok_or_else(|| "not legal: these cells are no region that the seat to move can claim now".to_string())
    }
}

fn clipped(text: &str) -> String {
    text.chars().take(60).collect()
}
