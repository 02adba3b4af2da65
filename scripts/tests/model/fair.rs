// SPDX-License-Identifier: GPL-2.0
//! Runs that go on forever, and which of them a machine can make.
//!
//! A duty is what must not be put off forever. A run is fair if each duty is
//! void again and again, or is fulfilled again and again. The scheduler counts
//! time on a CPU: who was picked and did not run has not had its turn, and may
//! be picked again before all others. Unless it is parked: then kstackd wakes it once
//! in a round, and rests after that for as long as others need for their turns. Nor does
//! it happen in each round that kstackd looks at a thread just before that is parked.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write as _;

use crate::explore::{Edge, Graph};
use crate::kstackd::was_parked_just_then;
use crate::state::{At, Config, KSTACKD, MAX_CPUS, REAPER, State, THREADS, USERS};
use crate::step::Step;

/// One bit each: the turns of threads, steps of CPUs.
pub type Duties = u16;

const CPUS: usize = THREADS;
/// What does not happen again and again.
const BY_CHANCE: Duties = 1 << (CPUS + MAX_CPUS);
const ALL: Duties = (1 << (CPUS + MAX_CPUS)) - 1;
const TURNS: Duties = (1 << THREADS) - 1;

pub fn fulfilled_by(cfg: &Config, from: &State, step: Step) -> Duties {
    let cpu = |c: usize| 1 << (CPUS + c);
    let turn = |t: usize| 1 << t;
    match step {
        Step::KstackdWake(_, t) if was_parked_just_then(cfg, from, t) => BY_CHANCE,
        Step::KstackdWake(..) => turn(KSTACKD),
        Step::Deny(c, _) if cfg.parking => cpu(c),
        Step::Deny(c, _) => cpu(c) | TURNS,
        Step::Switch { cpu: c, to, .. } if to < USERS && !from.threads[to].killed => {
            cpu(c) | turn(to)
        }
        Step::Switch { cpu: c, .. }
        | Step::Stay(c)
        | Step::Admit(c, _)
        | Step::SetState(c, _)
        | Step::List(c, _)
        | Step::Dequeue(c, _)
        | Step::Busy(c, _)
        | Step::Refill(c) => cpu(c),
        Step::Exit(_, t) => turn(t),
        Step::Map(..) | Step::Allocate(..) | Step::Free(..) => 0,
        Step::Kill(..) | Step::Panic(_) | Step::OomLocked(_) | Step::AwaitVictim(_) => {
            turn(KSTACKD)
        }
        Step::Reap(..) => turn(REAPER),
        Step::KstackdStart(_)
        | Step::KstackdFill(..)
        | Step::KstackdLacksPages(_)
        | Step::KstackdFindsPage(_)
        | Step::KstackdUnlist(..)
        | Step::KstackdLock(..)
        | Step::KstackdLeavesOthers(_)
        | Step::KstackdTryAgain(_)
        | Step::KstackdIsDone(_) => turn(KSTACKD),
        Step::Sleep(_, t) => turn(t),
    }
}

fn void(cfg: &Config, state: &State) -> Duties {
    let mut void = ALL;
    for (c, cpu) in state.cpus.iter().enumerate() {
        if cpu.at != At::Run {
            void &= !(1 << (CPUS + c));
        }
    }
    for (t, thread) in state.threads.iter().enumerate() {
        // To be picked is not enough for those that must get something done.
        let waits = if t >= USERS || thread.killed {
            thread.queued
        } else {
            state.runnable(cfg, t)
        };
        if waits {
            void &= !(1 << t);
        }
    }
    void
}

/// A fair run that ends up among `bad` states and stays there, if there is one.
pub fn run_within(graph: &Graph, bad: impl Fn(&State) -> bool) -> Option<String> {
    search(graph, bad, Search::fair_run)
}

/// A way to states that no run leaves, in which some duty is never fulfilled: who has it
/// waits for what does not come.
pub fn dead_end(graph: &Graph) -> Option<String> {
    search(graph, |state| !state.panicked, Search::dead_end)
}

type Look<'a> = fn(&Search<'a>, &[usize]) -> Option<String>;

fn search<'a>(graph: &'a Graph, bad: impl Fn(&State) -> bool, look: Look<'a>) -> Option<String> {
    let bad: Vec<bool> = graph.states.iter().map(bad).collect();
    let mut search = Search {
        graph,
        order: vec![NONE; bad.len()],
        component: vec![NONE; bad.len()],
        bad,
        stack: Vec::new(),
        seen: 0,
        look,
    };
    (0..graph.states.len()).find_map(|state| search.from(state))
}

const NONE: u32 = u32::MAX;

/// Tarjan's strongly connected components: in each of them a run can go round
/// all states and all edges forever.
struct Search<'a> {
    graph: &'a Graph,
    bad: Vec<bool>,
    /// When a state was seen first; then the earliest it leads back to.
    order: Vec<u32>,
    /// Named by one of its states.
    component: Vec<u32>,
    stack: Vec<usize>,
    seen: u32,
    /// At each component.
    look: Look<'a>,
}

impl Search<'_> {
    fn from(&mut self, root: usize) -> Option<String> {
        let mut calls = Vec::new();
        if self.bad[root] && self.order[root] == NONE {
            calls.push(self.enter(root));
        }
        while let Some((state, own, next)) = calls.last_mut() {
            let (state, own) = (*state, *own);
            if let Some(edge) = self.graph.edges(state).get(*next) {
                *next += 1;
                let to = edge.to as usize;
                if edge.done == BY_CHANCE || !self.bad[to] || self.component[to] != NONE {
                    continue;
                }
                if self.order[to] == NONE {
                    calls.push(self.enter(to));
                } else {
                    self.order[state] = self.order[state].min(self.order[to]);
                }
                continue;
            }
            calls.pop();
            let earliest = self.order[state];
            if let Some((caller, ..)) = calls.last() {
                self.order[*caller] = self.order[*caller].min(earliest);
            }
            if earliest == own {
                let first = self.stack.iter().rposition(|&s| s == state);
                let members = self.stack.split_off(first.expect("it was entered"));
                for &member in &members {
                    self.component[member] = state as u32;
                }
                if let Some(run) = (self.look)(self, &members) {
                    return Some(run);
                }
            }
        }
        None
    }

    fn enter(&mut self, state: usize) -> (usize, u32, usize) {
        let own = self.seen;
        self.order[state] = own;
        self.seen += 1;
        self.stack.push(state);
        (state, own, 0)
    }

    fn inside(&self, state: usize) -> impl Iterator<Item = &Edge> {
        let component = self.component[state];
        let edges = self.graph.edges(state).iter();
        edges.filter(move |edge| {
            edge.done != BY_CHANCE && self.component[edge.to as usize] == component
        })
    }

    fn void(&self, state: usize) -> Duties {
        void(&self.graph.cfg, &self.graph.states[state])
    }

    /// The duties that a run around `members` can meet.
    fn met(&self, members: &[usize]) -> Duties {
        members.iter().fold(0, |all, &state| {
            let done = self.inside(state).fold(0, |done, edge| done | edge.done);
            all | done | self.void(state)
        })
    }

    fn dead_end(&self, members: &[usize]) -> Option<String> {
        let leads_out =
            |&state: &usize| self.inside(state).count() != self.graph.edges(state).len();
        let stays = !members.iter().any(leads_out);
        (stays && self.met(members) != ALL).then(|| self.graph.way_to(members[0]))
    }

    fn fair_run(&self, members: &[usize]) -> Option<String> {
        if self.met(members) != ALL {
            return None;
        }
        let start = *members.iter().min().expect("no component is empty");
        let mut text = self.graph.way_to(start);
        text.push_str("and forever:\n");
        let mut state = start;
        let mut open = ALL & !self.void(start);
        while open != 0 {
            let way = self.way(state, |to, done| (done | self.void(to)) & open != 0);
            for (to, done) in way {
                open &= !(done | self.void(to));
                writeln!(text, "{:?}", self.graph.step_between(state, to)).unwrap();
                state = to;
            }
        }
        if state != start {
            for (to, _) in self.way(state, |to, _| to == start) {
                writeln!(text, "{:?}", self.graph.step_between(state, to)).unwrap();
                state = to;
            }
        }
        Some(text)
    }

    /// The shortest way inside the component to an edge that is `wanted`.
    fn way(&self, start: usize, wanted: impl Fn(usize, Duties) -> bool) -> Vec<(usize, Duties)> {
        let mut came_from: HashMap<usize, (usize, Duties)> = HashMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(state) = queue.pop_front() {
            for edge in self.inside(state) {
                let to = edge.to as usize;
                if wanted(to, edge.done) {
                    let mut way = vec![(to, edge.done)];
                    let mut last = state;
                    while last != start {
                        let (before, done) = came_from[&last];
                        way.push((last, done));
                        last = before;
                    }
                    way.reverse();
                    return way;
                }
                if to != start && !came_from.contains_key(&to) {
                    came_from.insert(to, (state, edge.done));
                    queue.push_back(to);
                }
            }
        }
        unreachable!("all states and edges of a component can be reached in it")
    }
}
