// SPDX-License-Identifier: GPL-2.0
//! All states that can be reached, and the shortest way to each.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt::Write as _;
use std::hash::{BuildHasherDefault, Hasher};

use crate::fair;
use crate::state::{At, Config, State, THREADS, Worker};
use crate::step::{self, Next, Step};

const START: u32 = u32::MAX;

pub struct Edge {
    pub to: u32,
    /// The duties that the step fulfils, see `fair`.
    pub done: fair::Duties,
}

pub struct Graph {
    pub cfg: Config,
    pub states: Vec<State>,
    /// The state from which a state was reached first.
    came_from: Vec<u32>,
    edges: Vec<Edge>,
    /// The edges of state n begin here.
    first_edge: Vec<u32>,
}

/// Not for enemies, but fast.
#[derive(Default)]
pub struct Mix(u64);

impl Hasher for Mix {
    fn write(&mut self, _: &[u8]) {
        unreachable!("all keys are numbers")
    }

    fn write_u128(&mut self, key: u128) {
        let product = (key ^ key >> 61).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        self.0 = (product >> 64) as u64;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// What must never happen, and the shortest way there.
#[derive(Debug)]
pub struct Fault {
    pub why: &'static str,
    pub way: String,
    /// States seen until then.
    pub states: usize,
}

impl Graph {
    /// Breadth first, until something is wrong.
    pub fn explore(cfg: Config) -> Result<Self, Fault> {
        let mut graph = Self {
            cfg,
            states: State::starts(&cfg),
            came_from: Vec::new(),
            edges: Vec::new(),
            first_edge: Vec::new(),
        };
        graph.came_from.resize(graph.states.len(), START);
        let mut known: HashMap<u128, u32, BuildHasherDefault<Mix>> = HashMap::default();
        known.extend((0..).zip(&graph.states).map(|(nr, state)| (key(state), nr)));

        let mut steps = Vec::new();
        let mut nr = 0;
        while nr < graph.states.len() {
            let from = graph.states[nr];
            if let Some(why) = from.fault(&cfg) {
                return Err(graph.fault(why, graph.way_to(nr)));
            }
            graph.first_edge.push(graph.edges.len() as u32);
            step::steps(&cfg, &from, &mut steps);
            for &(step, next) in &steps {
                let next = next.map_err(|why| {
                    let way = format!("{}{step:?}\n", graph.way_to(nr));
                    graph.fault(why, way)
                })?;
                let to = match known.entry(key(&next)) {
                    Entry::Occupied(entry) => *entry.get(),
                    Entry::Vacant(entry) => {
                        graph.states.push(next);
                        graph.came_from.push(nr as u32);
                        *entry.insert(graph.states.len() as u32 - 1)
                    }
                };
                let done = fair::fulfilled_by(&cfg, &from, step);
                graph.edges.push(Edge { to, done });
            }
            nr += 1;
        }
        graph.first_edge.push(graph.edges.len() as u32);
        Ok(graph)
    }

    fn fault(&self, why: &'static str, way: String) -> Fault {
        Fault {
            why,
            way,
            states: self.states.len(),
        }
    }

    pub fn edges(&self, state: usize) -> &[Edge] {
        &self.edges[self.first_edge[state] as usize..self.first_edge[state + 1] as usize]
    }

    /// The steps from a start, one a line, then the state they lead to.
    pub fn way_to(&self, state: usize) -> String {
        let mut way = vec![state];
        let mut last = state;
        while self.came_from[last] != START {
            last = self.came_from[last] as usize;
            way.push(last);
        }
        way.reverse();
        let mut text = format!("{:?}\n", self.states[way[0]]);
        for pair in way.windows(2) {
            let step = self.step_between(pair[0], pair[1]);
            writeln!(text, "{step:?}").unwrap();
        }
        writeln!(text, "{:?}", self.states[state]).unwrap();
        text
    }

    pub fn step_between(&self, from: usize, to: usize) -> Step {
        let mut steps = Vec::new();
        step::steps(&self.cfg, &self.states[from], &mut steps);
        let leads = |next: &Next| *next == Ok(self.states[to]);
        let found = steps.iter().find(|(_, next)| leads(next));
        found.expect("an edge of the graph").0
    }
}

/// All of it in one number.
fn key(state: &State) -> u128 {
    let mut key = 0;
    let mut put = |bits: u32, value: u8| {
        debug_assert!(u32::from(value) < 1 << bits);
        key = key << bits | u128::from(value);
    };
    for cpu in &state.cpus {
        let (at, thread) = match cpu.at {
            At::Run => (0, 0),
            At::Refill => (1, 0),
            At::Pick => (2, 0),
            At::Denied(t) => (3, t),
            At::Stated(t) => (4, t),
            At::Listed(t) => (5, t),
            At::Admitted(t) => (6, t),
            At::ToIdle => (7, 0),
        };
        put(3, cpu.cur);
        put(3, at);
        put(3, thread);
        put(2, cpu.spare);
        put(2, cpu.lent);
        put(3, cpu.reserve);
        put(1, cpu.kick.into());
    }
    for thread in &state.threads {
        put(2, thread.life as u8);
        put(1, thread.queued.into());
        put(3, thread.place);
        put(1, thread.killed.into());
        put(2, thread.empty);
        put(2, thread.user);
    }
    let (worker, detail) = match state.worker {
        Worker::Idle => (0, 0),
        Worker::LastBank(cpu) => (1, cpu),
        Worker::Critical {
            after,
            left,
            has_last_banks,
        } => (2, after << 4 | left << 1 | u8::from(has_last_banks)),
        Worker::Ordinary {
            cpu,
            has_last_banks,
            some_wait,
        } => (
            3,
            cpu << 2 | u8::from(has_last_banks) << 1 | u8::from(some_wait),
        ),
        Worker::Batch { left } => (4, left),
        Worker::Through(cpu) => (5, cpu),
        Worker::Kill { has_last_banks } => (6, has_last_banks.into()),
    };
    put(3, worker);
    put(7, detail);
    put(3, state.waking.unwrap_or(THREADS as u8));
    put(1, state.locked.into());
    put(1, state.wanted.into());
    put(6, state.free);
    put(1, state.oom_locked.into());
    put(1, state.panicked.into());
    key
}
