//! `Judge` and `Player`.

use std::sync::Arc;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::drivers::choose::choose;
use crate::game::Game;
use crate::moves::{self, MoveList};
use crate::players::asked::Asked;
use crate::players::budget::Budget;
use crate::players::descent::{self, Growth};
use crate::players::features::{FEATURES, FEATURE_COUNT};
use crate::players::judge::{Judge as _, Sight};
use crate::players::linear::{self, Linear, Weights};
use crate::players::mcts::{self, Fast, Settings};
use crate::players::mlp::Mlp;
use crate::players::nnue::parameters::Parameters;
use crate::players::nnue::{Kernel, Nnue};
use crate::players::values::Values;
use crate::players::{self, minimax, Agent, AnyJudge, Search};
use crate::python::errors::{guarded, refuse, require_numpy, setup_of};
use crate::python::host::PythonHost;
use crate::python::position::{Move, Position};
use crate::rng::{stream, Purpose};
use crate::setup::Setup;
use crate::with_state;

/// Who evaluates positions for a search.
#[pyclass(frozen, module = "ringrift_core._engine")]
pub struct Judge {
    judge: AnyJudge,
    /// Of a judge that has to be asked.
    evaluator: Option<Arc<Py<PyAny>>>,
}

impl Judge {
    pub fn judge(&self) -> &AnyJudge {
        &self.judge
    }
}

#[pymethods]
impl Judge {
    #[staticmethod]
    fn linear(weights: Vec<f32>) -> PyResult<Judge> {
        Ok(Judge { judge: AnyJudge::Linear(Linear { weights: weights_of(weights)? }), evaluator: None })
    }

    #[staticmethod]
    fn asked(evaluator: Bound<'_, PyAny>) -> PyResult<Judge> {
        let evaluator = Some(evaluator_of(evaluator)?);
        Ok(Judge { judge: AnyJudge::Asked(Asked { evaluator: 0 }), evaluator })
    }

    #[staticmethod]
    fn mlp(content: &[u8]) -> PyResult<Judge> {
        Ok(Judge { judge: AnyJudge::Mlp(Mlp::read(content)?), evaluator: None })
    }

    #[staticmethod]
    #[pyo3(signature = (content, kernel = None))]
    fn nnue(content: &[u8], kernel: Option<&str>) -> PyResult<Judge> {
        let mut judge = Nnue::new(Parameters::read(content)?);
        if let Some(name) = kernel {
            let known = Kernel::available().into_iter().find(|kernel| kernel.name() == name);
            judge = known.and_then(|kernel| judge.by(kernel)).ok_or_else(|| {
                let names: Vec<&str> = Kernel::available().into_iter().map(Kernel::name).collect();
                refuse(format!("kernel: {name:?} is none of this CPU, which has {}", names.join(", ")))
            })?;
        }
        Ok(Judge { judge: AnyJudge::Nnue(judge), evaluator: None })
    }

    fn calibration(&self, board: &str, players: usize) -> PyResult<(f32, f32)> {
        let setup = setup_of(board, players, "canonical", None)?;
        let calibration = match &self.judge {
            AnyJudge::Linear(judge) => judge.calibration(&setup),
            AnyJudge::Mlp(judge) => judge.calibration(&setup),
            AnyJudge::Nnue(judge) => judge.calibration(&setup),
            AnyJudge::Asked(_) => return Err(refuse("judge: has to be asked, and says probabilities by itself")),
        };
        Ok((calibration.scale, calibration.temperature))
    }

    #[getter]
    fn configuration(&self) -> Option<String> {
        self.judge.configuration().map(|known| known.to_string())
    }

    fn values(&self, position: &Position) -> PyResult<Vec<f32>> {
        let setup = position.game.setup();
        if let Some(known) = self.judge.configuration() {
            known.check(&setup)?;
        }
        guarded(|| {
            let values = match &self.judge {
                AnyJudge::Linear(judge) => values_of(judge, position),
                AnyJudge::Mlp(judge) => values_of(judge, position),
                AnyJudge::Nnue(judge) => values_of(judge, position),
                AnyJudge::Asked(_) => {
                    return Err(refuse("judge: has to be asked: its evaluator says what it is worth"))
                }
            };
            Ok(values[..setup.players()].to_vec())
        })
    }

    fn __repr__(&self) -> String {
        match &self.judge {
            AnyJudge::Linear(_) => "<Judge linear>".into(),
            AnyJudge::Mlp(_) => "<Judge mlp>".into(),
            AnyJudge::Nnue(judge) => format!("<Judge nnue {}>", judge.kernel().name()),
            AnyJudge::Asked(_) => "<Judge asked>".into(),
        }
    }
}

/// What sits at a seat.
#[pyclass(frozen, module = "ringrift_core._engine")]
pub struct Player {
    #[pyo3(get)]
    name: String,
    agent: Agent,
    /// Whom the agent asks, if it does.
    evaluator: Option<Arc<Py<PyAny>>>,
}

impl Player {
    fn new(name: &str, search: Search, judge: &Judge) -> PyResult<Player> {
        let agent = Agent::new(search, judge.judge.clone())?;
        Ok(Player { name: name.into(), agent, evaluator: judge.evaluator.clone() })
    }

    /// The agent of a run of games of a setup; its evaluator is entered in `evaluators`, once for all players who ask it.
    pub fn agent(&self, setup: &Setup, evaluators: &mut Vec<Arc<Py<PyAny>>>) -> PyResult<Agent> {
        self.agent.check(setup).map_err(|error| error.inside(&format!("player {}", self.name)))?;
        let agent = self.agent.clone();
        let Some(evaluator) = &self.evaluator else { return Ok(agent) };
        let number = evaluators.iter().position(|other| other.is(evaluator.as_ref())).unwrap_or_else(|| {
            evaluators.push(evaluator.clone());
            evaluators.len() - 1
        });
        Ok(agent.asking(number))
    }

    pub fn name(&self) -> &str {
        &self.name
    }
}

#[pymethods]
impl Player {
    #[staticmethod]
    fn random() -> Player {
        Player { name: "random".into(), agent: Agent::RANDOM, evaluator: None }
    }

    #[staticmethod]
    #[pyo3(signature = (judge, noise = 0.0, name = None))]
    fn one_ply(judge: PyRef<'_, Judge>, noise: f32, name: Option<&str>) -> PyResult<Player> {
        let usual = if judge.evaluator.is_some() { "network" } else { "heuristic" };
        Player::new(name.unwrap_or(usual), Search::OnePly { noise: noise_of(noise)? }, &judge)
    }

    #[staticmethod]
    #[pyo3(signature = (judge, noise = 0.0, name = "policy"))]
    fn policy(judge: PyRef<'_, Judge>, noise: f32, name: &str) -> PyResult<Player> {
        Player::new(name, Search::Policy { noise: noise_of(noise)? }, &judge)
    }

    #[staticmethod]
    #[pyo3(signature = (judge, depth = None, nodes = None, seconds = None, variant = None, noise = 0.0, name = "minimax"))]
    fn minimax(
        judge: PyRef<'_, Judge>,
        depth: Option<u32>,
        nodes: Option<u64>,
        seconds: Option<f64>,
        variant: Option<&str>,
        noise: f32,
        name: &str,
    ) -> PyResult<Player> {
        let known = || refuse(format!("variant: {:?} is none of {}", variant.unwrap_or(""), variant_names()));
        let search = Search::Minimax {
            variant: variant.map(|name| minimax::Variant::from_name(name).ok_or_else(known)).transpose()?,
            budget: budget_of(depth, nodes, seconds)?,
            noise: noise_of(noise)?,
        };
        Player::new(name, search, &judge)
    }

    #[staticmethod]
    #[pyo3(signature = (judge, nodes = 1000, noise = 0.0, name = "descent", *, seconds = None, to_the_end = false,
        inner = 0))]
    fn descent(
        judge: PyRef<'_, Judge>,
        nodes: Option<u64>,
        noise: f32,
        name: &str,
        seconds: Option<f64>,
        to_the_end: bool,
        inner: u16,
    ) -> PyResult<Player> {
        let settings = descent::Settings {
            budget: budget_of(None, nodes, seconds)?,
            growth: if to_the_end { Growth::ToTheEnd } else { Growth::OnePosition },
            exploration: share_of(noise)?,
            inner: inner as usize,
        };
        Player::new(name, Search::Descent(settings), &judge)
    }

    #[staticmethod]
    #[pyo3(signature = (judge, simulations = 64, seconds = None, variant = "puct", considered = 16, noise = 0.0,
        name = "mcts", *, fast = None))]
    #[allow(clippy::too_many_arguments)] // Python's keyword arguments
    fn tree_search(
        judge: PyRef<'_, Judge>,
        simulations: Option<u64>,
        seconds: Option<f64>,
        variant: &str,
        considered: usize,
        noise: f32,
        name: &str,
        fast: Option<(f32, u64)>,
    ) -> PyResult<Player> {
        if simulations == Some(0) || considered == 0 {
            return Err(refuse("simulations, considered: 0, expected at least 1"));
        }
        let variant = match variant {
            "puct" => {
                share_of(noise)?;
                mcts::Variant::Puct
            }
            "gumbel" => mcts::Variant::Gumbel { considered },
            _ => return Err(refuse(format!("variant: {variant:?} is neither puct nor gumbel"))),
        };
        let budget = match (simulations, seconds) {
            (None, None) => return Err(refuse("budget: none given; simulations or seconds must bound the search")),
            (_, None) => Budget { simulations, ..Budget::default() },
            (_, seconds) => Budget { simulations, ..budget_of(None, None, seconds)? },
        };
        let fast = fast.map(fast_of).transpose()?;
        Player::new(name, Search::Tree(Settings { variant, budget, noise: noise_of(noise)?, fast }), &judge)
    }

    fn choose(&self, position: &Bound<'_, Position>, seed: u64) -> PyResult<Choice> {
        let game = position.borrow().game.clone();
        let mut evaluators = Vec::new();
        let agent = self.agent(&game.setup(), &mut evaluators)?;
        let mut host = PythonHost::without_games(game.setup(), evaluators);
        let mut legal = MoveList::new();
        game.legal_moves(&mut legal);
        if legal.is_empty() {
            return Err(refuse("choose: the game is over"));
        }
        let mut random = stream(seed, Purpose::Choice, 0);
        let chosen = position.py().detach(|| {
            guarded(|| with_state!(&game, state => choose(state, &legal, &agent, &mut random, &mut host)))
        })?;
        Ok(Choice::of(&game, &legal, chosen))
    }

    fn __repr__(&self) -> String {
        format!("<Player {}>", self.name)
    }
}

/// A decision, and what its search found.
#[pyclass(frozen, module = "ringrift_core._engine")]
pub struct Choice {
    r#move: Move,
    values: Option<Vec<f32>>,
    policy: Vec<(Move, f32)>,
    #[pyo3(get)]
    nodes: u64,
}

impl Choice {
    fn of(game: &Game, legal: &[moves::Move], chosen: players::Choice) -> Choice {
        let r#move = Move::of(game, legal[chosen.index]);
        let Some(found) = chosen.found else {
            return Choice { r#move, values: None, policy: Vec::new(), nodes: 0 };
        };
        let values = found.values[..game.setup().players()].to_vec();
        let mut policy: Vec<(Move, f32)> =
            legal.iter().zip(found.policy).map(|(one, share)| (Move::of(game, *one), share)).collect();
        policy.sort_by(|(_, left), (_, right)| right.total_cmp(left));
        Choice { r#move, values: Some(values), policy, nodes: found.nodes }
    }
}

#[pymethods]
impl Choice {
    #[getter]
    fn r#move(&self) -> Move {
        self.r#move.clone()
    }

    #[getter]
    fn values<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        self.values.as_ref().map(|values| PyTuple::new(py, values)).transpose()
    }

    #[getter]
    fn policy<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.policy.clone())
    }

    fn __repr__(&self) -> String {
        format!("<Choice {}>", self.r#move.notation())
    }
}

fn weights_of(weights: Vec<f32>) -> PyResult<Weights> {
    let found = weights.len();
    if let Some(index) = weights.iter().position(|weight| !weight.is_finite()) {
        return Err(refuse(format!(
            "weights: {} is {}, not a number",
            FEATURES[index.min(FEATURE_COUNT - 1)].0,
            weights[index]
        )));
    }
    weights
        .try_into()
        .map_err(|_| refuse(format!("weights: {found} numbers, expected {FEATURE_COUNT}, one per feature")))
}

fn evaluator_of(evaluator: Bound<'_, PyAny>) -> PyResult<Arc<Py<PyAny>>> {
    require_numpy(evaluator.py())?;
    if !evaluator.is_callable() {
        return Err(refuse(format!("evaluator: expected a callable, found {}", evaluator.get_type())));
    }
    Ok(Arc::new(evaluator.unbind()))
}

fn share_of(noise: f32) -> PyResult<f32> {
    if (0.0..=1.0).contains(&noise) {
        return Ok(noise);
    }
    Err(refuse(format!("noise: {noise} is not a number from 0 to 1")))
}

fn fast_of((share, simulations): (f32, u64)) -> PyResult<Fast> {
    if !(0.0..=1.0).contains(&share) || simulations == 0 {
        return Err(refuse(format!(
            "fast: a share of {share} with {simulations} simulations; expected 0 to 1, and 1 or more"
        )));
    }
    Ok(Fast { share, simulations })
}

fn noise_of(noise: f32) -> PyResult<f32> {
    if noise.is_finite() && noise >= 0.0 {
        return Ok(noise);
    }
    Err(refuse(format!("noise: {noise} is not a number from 0 up")))
}

fn variant_names() -> String {
    minimax::Variant::ALL.map(minimax::Variant::name).join(", ")
}

/// A budget with at least one bound.
fn budget_of(depth: Option<u32>, nodes: Option<u64>, seconds: Option<f64>) -> PyResult<Budget> {
    if depth.is_none() && nodes.is_none() && seconds.is_none() {
        return Err(refuse("budget: none given; depth, nodes or seconds must bound the search"));
    }
    if depth == Some(0) || nodes == Some(0) {
        return Err(refuse("budget: depth and nodes count from 1"));
    }
    let time = seconds.map(|seconds| match Duration::try_from_secs_f64(seconds) {
        Ok(time) if !time.is_zero() => Ok(time),
        _ => Err(refuse(format!("seconds: {seconds} is not a positive number"))),
    });
    Ok(Budget { depth, nodes, simulations: None, time: time.transpose()? })
}

#[pyfunction]
pub fn heuristic_weights(setting: &str) -> PyResult<Vec<f32>> {
    let weights = linear::setting(setting)
        .ok_or_else(|| refuse(format!("setting: {setting:?} is neither baseline nor material")))?;
    Ok(weights.to_vec())
}

/// What a judge that answers at once makes of a position.
fn values_of(judge: &impl players::judge::Judge, position: &Position) -> Values {
    with_state!(&position.game, state => Sight::of(judge).values(state, 0))
}
