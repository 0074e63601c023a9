//! Boards drawn as text. One token per cell, rows from y = 0 (hexagons: y = -radius) down, x rising to the right:
//! `.` empty; `a` to `d` a marker and `A` to `D` a collapsed cell of players 1 to 4; digits a stack, bottom ring first.

use ringrift_engine::{Board, Content, Game, MoveList, Profile, Setup};
use serde_json::{json, Map, Value};

/// A position under construction. By default: canonical, player 1 to move, empty hands, no per-turn field set, and the
/// rings that are not on the board eliminated, spread evenly over the players (the first get the odd ones).
#[derive(Clone)]
pub struct Position {
    pub setup: Setup,
    pub state: Value,
    fixed_eliminations: bool,
}

/// The position of a square8 drawing for two players.
pub fn square8(phase: &str, drawing: &str) -> Position {
    position(Board::Square8, 2, phase, drawing)
}

pub fn position(board: Board, players: usize, phase: &str, drawing: &str) -> Position {
    let setup = Setup::new(board, players, Profile::Canonical).expect("2 to 4 players");
    let (mut stacks, mut markers, mut collapsed) = (Map::new(), Map::new(), Map::new());
    let mut territory = vec![0; players];
    let tokens: Vec<&str> = drawing.split_whitespace().collect();
    assert_eq!(tokens.len(), board.cells(), "one token per cell of {}", board.name());
    for (cell, token) in tokens.into_iter().enumerate() {
        let (x, y) = board.coordinates(cell);
        let key = format!("{x},{y}");
        match token.as_bytes()[0] {
            b'.' => {}
            letter @ b'a'..=b'd' => drop(markers.insert(key, json!(letter - b'a' + 1))),
            letter @ b'A'..=b'D' => {
                territory[(letter - b'A') as usize] += 1;
                collapsed.insert(key, json!(letter - b'A' + 1));
            }
            _ => drop(stacks.insert(key, json!(token))),
        }
    }
    let turn = json!({
        "no": 21, "mustMove": null, "captureFrom": null, "chainFrom": null, "lineDebt": false, "regionDebt": null,
        "lineDone": false, "regionDone": false, "changed": false, "recovered": false, "realAvailable": true,
        "realTaken": false,
    });
    let game = json!({
        "swap": false, "swapUsed": false, "seat2Moved": true, "recent": (1..=players).collect::<Vec<_>>(),
        "goneAt": vec![Value::Null; players], "leader": 1, "marks": {}, "soloSeat": null, "soloCount": 0,
        "winner": null, "reason": null, "ranks": null,
    });
    let state = json!({
        "p": 1, "ph": phase, "stk": stacks, "mk": markers, "col": collapsed, "hand": vec![0; players],
        "elim": vec![0; players], "terr": territory, "turn": turn, "game": game,
    });
    Position { setup, state, fixed_eliminations: false }
}

impl Position {
    pub fn player(mut self, player: usize) -> Position {
        self.state["p"] = json!(player);
        self
    }

    pub fn hand(mut self, hand: &[usize]) -> Position {
        self.state["hand"] = json!(hand);
        self
    }

    pub fn eliminated(mut self, eliminated: &[usize]) -> Position {
        self.state["elim"] = json!(eliminated);
        self.fixed_eliminations = true;
        self
    }

    pub fn turn(mut self, field: &str, value: Value) -> Position {
        match field {
            "mustMove" => self.state["must"] = value.clone(),
            "chainFrom" => self.state["chain"] = value.clone(),
            "lineDebt" if value == json!(true) => self.state["pend"] = json!(1),
            _ => {}
        }
        self.state["turn"][field] = value;
        self
    }

    pub fn changed(self) -> Position {
        self.turn("changed", json!(true))
    }

    pub fn game(mut self, field: &str, value: Value) -> Position {
        self.state["game"][field] = value;
        self
    }

    /// The solo seat of the tracker and its rounds so far.
    pub fn solo(mut self, player: usize, rounds: usize) -> Position {
        self.state["lps"] = json!([player, rounds]);
        self.game("soloSeat", json!(player)).game("soloCount", json!(rounds))
    }

    pub fn deployed(mut self) -> Position {
        let setup = self.setup;
        self.setup = Setup::new(setup.board(), setup.players(), Profile::Deployed).expect("2 to 4 players");
        self
    }

    pub fn start(&self) -> Game {
        self.try_start().unwrap_or_else(|error| panic!("{error}"))
    }

    pub fn try_start(&self) -> Result<Game, ringrift_engine::Error> {
        let mut state = self.state.clone();
        if !self.fixed_eliminations {
            let players = self.setup.players();
            let rings: usize =
                state["stk"].as_object().unwrap().values().map(|text| text.as_str().unwrap().len()).sum();
            let hands: usize = state["hand"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).sum();
            let out = self.setup.board().rings_per_player() as usize * players - rings - hands;
            let share = |seat: usize| out / players + (seat < out % players) as usize;
            state["elim"] = json!((0..players).map(share).collect::<Vec<_>>());
        }
        Game::from_json(self.setup, &state)
    }
}

/// The board as text, in the form that `position` reads.
pub fn draw(game: &Game) -> String {
    let board = game.setup().board();
    let mut text = String::new();
    let mut row = None;
    for cell in 0..board.cells() {
        let y = board.coordinates(cell).1;
        if row.is_some_and(|before| before != y) {
            text.push('\n');
        } else if row.is_some() {
            text.push(' ');
        }
        row = Some(y);
        match game.content(cell) {
            Content::Empty => text.push('.'),
            Content::Marker { owner } => text.push((b'a' + owner as u8) as char),
            Content::Collapsed { owner } => text.push((b'A' + owner as u8) as char),
            Content::Stack { .. } => text.extend(game.rings(cell).iter().map(|seat| (b'1' + *seat as u8) as char)),
        }
    }
    text
}

/// All legal moves in notation, sorted.
pub fn legal(game: &Game) -> Vec<String> {
    let mut list = MoveList::new();
    game.legal_moves(&mut list);
    let mut moves: Vec<String> = list.iter().map(|one| game.describe(*one)).collect();
    moves.sort();
    moves
}

/// The legal moves that start with `name`.
pub fn legal_of(game: &Game, name: &str) -> Vec<String> {
    legal(game).into_iter().filter(|one| one.starts_with(name)).collect()
}

pub fn is_legal(game: &Game, text: &str) -> bool {
    legal(game).iter().any(|one| one == text)
}

/// Plays a move in notation, which must be legal.
pub fn play(game: &mut Game, text: &str) {
    let one = game.parse_move(text).unwrap_or_else(|error| panic!("{error}"));
    game.play(one).unwrap_or_else(|error| panic!("{error}; legal: {:?}", legal(game)));
}

/// Plays several moves in notation.
pub fn play_all(game: &mut Game, moves: &[&str]) {
    moves.iter().for_each(|one| play(game, one));
}

/// Asserts that the board looks like the drawing.
#[track_caller]
pub fn assert_board(game: &Game, drawing: &str) {
    let expected: Vec<&str> = drawing.split_whitespace().collect();
    let drawn = draw(game);
    let found: Vec<&str> = drawn.split_whitespace().collect();
    assert_eq!(found, expected, "\nthe board is\n{drawn}");
}

/// A whole random game from `game`, as (state before, move) pairs; deterministic in `seed`.
pub fn random_game(mut game: Game, seed: u64, mut each: impl FnMut(&Game, ringrift_engine::Move, &Game)) -> Game {
    let mut random = ringrift_engine::playout::Random::new(seed);
    let mut list = MoveList::new();
    loop {
        game.legal_moves(&mut list);
        if list.is_empty() {
            return game;
        }
        let one = list[random.below(list.len())];
        let before = game.clone();
        game.apply(one);
        each(&before, one, &game);
    }
}
