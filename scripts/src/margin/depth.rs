// SPDX-License-Identifier: GPL-2.0
//! How deep code can go between two checks: the rules, on a graph of calls.
//!
//! A check makes sure of memory below the stack pointer of its function. From there
//! the code goes down through functions that have no check, and ends in one that has
//! one, with its whole frame and the check itself. Calls through pointers lead to the
//! worst function whose address is taken, and a chain has at most so many of them.
//! Functions that call each other in a circle count once around, and then the way out.

use std::collections::BTreeSet;

use super::body::ENTRY;
use super::circles::Circles;
use super::table;

/// A function. Depths count from the stack pointer of its caller before the call.
#[derive(Debug, Default)]
pub struct Node {
    pub name: String,
    pub init: bool,
    pub taken: bool,
    pub lost: bool,
    pub enables_interrupts: bool,
    /// Up to its check, which is a call like others; all of it if it has none.
    pub before: Piece,
    pub checks: Vec<Check>,
}

#[derive(Debug)]
pub struct Check {
    pub depth: i64,
    /// From there up to another check.
    pub after: Piece,
}

#[derive(Debug, Default)]
pub struct Piece {
    pub deepest: i64,
    pub calls: Vec<Call>,
    /// How deep the deepest call through a pointer is.
    pub pointer: Option<i64>,
}

/// What is called comes on top of `bytes`.
#[derive(Debug)]
pub struct Call {
    pub bytes: i64,
    pub to: usize,
}

impl Node {
    pub fn has_frame(&self) -> bool {
        self.before.deepest > ENTRY
    }

    /// The deepest place, the address to return to included.
    pub fn frame(&self) -> i64 {
        let checks = self.checks.iter().map(|check| check.after.deepest);
        checks.fold(self.before.deepest, i64::max)
    }
}

/// A part of a chain, for people.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Link {
    pub what: String,
    pub bytes: i64,
}

/// The depths of all functions.
pub struct Depths<'a> {
    nodes: &'a [Node],
    /// Functions left out, as if nobody called them.
    with_init: bool,
    circles: Circles,
    /// With so many calls through pointers allowed as the index says.
    levels: Vec<Level>,
}

#[derive(Default)]
struct Level {
    /// Of each function, up to the next check.
    depths: Vec<i64>,
    /// Where a pointer leads to at worst.
    worst: Option<usize>,
}

/// What makes a piece as deep as it is.
enum Reason {
    Itself,
    Call(usize, i64),
    Pointer(usize, i64),
}

impl<'a> Depths<'a> {
    pub fn new(nodes: &'a [Node], pointers: usize, with_init: bool) -> Self {
        let mut depths = Self {
            nodes,
            with_init,
            circles: Circles::find(nodes),
            levels: Vec::new(),
        };
        for level in 0..=pointers {
            depths.levels.push(Level {
                depths: vec![0; nodes.len()],
                worst: None,
            });
            for circle in 0..depths.circles.members.len() {
                let depth = depths.of_circle(circle, level);
                for member in &depths.circles.members[circle] {
                    depths.levels[level].depths[*member] = depth;
                }
            }
            let taken = (0..nodes.len()).filter(|node| nodes[*node].taken && depths.counts(*node));
            let worst = taken.max_by_key(|node| depths.levels[level].depths[*node]);
            depths.levels[level].worst = worst;
        }
        depths
    }

    /// From the call of `node` to the next check.
    pub fn of(&self, node: usize) -> i64 {
        self.levels[self.top()].depths[node]
    }

    /// From each check to the next one: the node, and how deep it goes.
    pub fn between_checks(&self) -> Vec<(usize, i64)> {
        let nodes = (0..self.nodes.len()).filter(|node| self.counts(*node));
        let deepest = |node: usize| {
            let checks = self.nodes[node].checks.iter();
            checks.map(|check| self.below(check)).max()
        };
        nodes
            .filter_map(|node| Some((node, deepest(node)?)))
            .collect()
    }

    /// The chain that goes deepest from a check of `node`.
    pub fn chain_from_check(&self, node: usize) -> Vec<Link> {
        let checks = self.nodes[node].checks.iter();
        let Some(check) = checks.max_by_key(|check| self.below(check)) else {
            return Vec::new();
        };
        let mut chain = Vec::new();
        self.explain(node, &check.after, self.top(), check.depth, &mut chain);
        chain
    }

    /// The chain that goes deepest from the call of `node`.
    pub fn chain_from_call(&self, node: usize) -> Vec<Link> {
        let mut chain = Vec::new();
        self.explain_call(node, self.top(), &mut chain);
        chain
    }

    /// Functions that call each other, or one that calls itself, without a check between.
    pub fn circles(&self) -> impl Iterator<Item = Vec<&str>> {
        let circles = self.circles.members.iter();
        circles
            .filter(|members| self.is_circle(members) && self.counts(members[0]))
            .map(|members| {
                let names = members.iter().map(|node| self.nodes[*node].name.as_str());
                names.collect()
            })
    }

    /// All that can run from the call of `starts` on before a check, by direct calls.
    pub fn reached(&self, starts: impl Iterator<Item = usize>) -> BTreeSet<usize> {
        let mut seen = BTreeSet::new();
        let mut open: Vec<_> = starts.collect();
        while let Some(node) = open.pop() {
            if self.counts(node) && seen.insert(node) {
                open.extend(self.nodes[node].before.calls.iter().map(|call| call.to));
            }
        }
        seen
    }

    fn top(&self) -> usize {
        self.levels.len() - 1
    }

    fn counts(&self, node: usize) -> bool {
        self.with_init || !self.nodes[node].init
    }

    fn is_circle(&self, members: &[usize]) -> bool {
        let calls_itself = |node: &usize| {
            self.nodes[*node]
                .before
                .calls
                .iter()
                .any(|call| call.to == *node)
        };
        members.len() > 1 || members.iter().any(calls_itself)
    }

    fn below(&self, check: &Check) -> i64 {
        let (depth, _) = self.deepest(&check.after, self.top(), None);
        depth - check.depth
    }

    /// Without what is called inside `circle`.
    fn deepest(&self, piece: &Piece, level: usize, circle: Option<usize>) -> (i64, Reason) {
        let mut deepest = (piece.deepest, Reason::Itself);
        for Call { bytes, to } in &piece.calls {
            if !self.counts(*to) || circle == Some(self.circles.of[*to]) {
                continue;
            }
            let depth = bytes + self.levels[level].depths[*to];
            if depth > deepest.0 {
                deepest = (depth, Reason::Call(*to, *bytes));
            }
        }
        if let Some(bytes) = piece.pointer
            && let Some(below) = level.checked_sub(1)
            && let Some(worst) = self.levels[below].worst
        {
            let depth = bytes + self.levels[below].depths[worst];
            if depth > deepest.0 {
                deepest = (depth, Reason::Pointer(worst, bytes));
            }
        }
        deepest
    }

    fn of_circle(&self, circle: usize, level: usize) -> i64 {
        let members = &self.circles.members[circle];
        let leave = |node: &usize| {
            self.deepest(&self.nodes[*node].before, level, Some(circle))
                .0
        };
        let out = members.iter().map(leave).max().unwrap_or(0);
        self.round(circle) + out
    }

    /// Once around, each member counted once.
    fn round(&self, circle: usize) -> i64 {
        let members = &self.circles.members[circle];
        let inside = |node: &usize| {
            let calls = self.nodes[*node].before.calls.iter();
            let calls = calls.filter(|call| self.circles.of[call.to] == circle);
            calls.map(|call| call.bytes.max(0)).max().unwrap_or(0)
        };
        members.iter().map(inside).sum()
    }

    fn explain_call(&self, node: usize, level: usize, chain: &mut Vec<Link>) {
        let circle = self.circles.of[node];
        let members = &self.circles.members[circle];
        let mut node = node;
        if self.is_circle(members) {
            let names: Vec<_> = members
                .iter()
                .map(|member| self.nodes[*member].name.as_str())
                .collect();
            chain.push(Link {
                what: format!("circle of {}: {}", members.len(), table::names(&names)),
                bytes: self.round(circle),
            });
            let leave = |node: &&usize| {
                let before = &self.nodes[**node].before;
                self.deepest(before, level, Some(circle)).0
            };
            node = members.iter().max_by_key(leave).copied().unwrap_or(node);
        }
        self.explain(node, &self.nodes[node].before, level, 0, chain);
    }

    fn explain(&self, node: usize, piece: &Piece, level: usize, start: i64, chain: &mut Vec<Link>) {
        let circle = (start == 0).then_some(self.circles.of[node]);
        let name = &self.nodes[node].name;
        let (depth, reason) = self.deepest(piece, level, circle);
        let link = |what: String, bytes: i64| Link {
            what,
            bytes: bytes - start,
        };
        match reason {
            Reason::Itself => chain.push(link(name.clone(), depth)),
            Reason::Call(to, bytes) => {
                chain.push(link(name.clone(), bytes));
                self.explain_call(to, level, chain);
            }
            Reason::Pointer(to, bytes) => {
                chain.push(link(format!("{name}, through a pointer"), bytes));
                self.explain_call(to, level - 1, chain);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A function with a frame of so many bytes that calls others at its end.
    fn node(name: &str, frame: i64, calls: &[usize]) -> Node {
        Node {
            name: name.to_string(),
            before: piece(frame, calls),
            ..Node::default()
        }
    }

    fn piece(frame: i64, calls: &[usize]) -> Piece {
        let calls = calls.iter().map(|to| Call {
            bytes: frame,
            to: *to,
        });
        Piece {
            deepest: frame + 8,
            calls: calls.collect(),
            pointer: None,
        }
    }

    /// The same with a check, which is node 0, before the calls.
    fn checked(name: &str, frame: i64, calls: &[usize]) -> Node {
        let check = Check {
            depth: frame,
            after: piece(frame, calls),
        };
        Node {
            checks: vec![check],
            ..node(name, frame, &[0])
        }
    }

    fn link(what: &str, bytes: i64) -> Link {
        Link {
            what: what.to_string(),
            bytes,
        }
    }

    #[test]
    fn a_chain_ends_with_the_frame_and_the_check_of_the_next_function() {
        let nodes = [
            node("check", 24, &[]),
            checked("start", 400, &[2]),
            node("middle", 100, &[3, 4]),
            checked("end", 1000, &[4]),
            node("below", 5000, &[]),
        ];
        let depths = Depths::new(&nodes, 0, false);
        assert_eq!(depths.of(3), 1000 + 32);
        // What "start" has above its check is not counted again, what "end" calls below
        // its own is.
        assert_eq!(depths.between_checks(), [(1, 5108), (3, 5008)]);
        assert_eq!(
            depths.chain_from_check(1),
            [link("start", 0), link("middle", 100), link("below", 5008)]
        );
    }

    #[test]
    fn a_circle_counts_once_around_and_the_way_out() {
        let nodes = [
            node("check", 24, &[]),
            checked("start", 0, &[2]),
            node("ping", 100, &[3]),
            node("pong", 50, &[2, 4]),
            node("out", 10, &[]),
        ];
        let depths = Depths::new(&nodes, 0, false);
        assert_eq!(depths.between_checks(), [(1, 150 + 108)]);
        let circles: Vec<_> = depths.circles().map(|circle| circle.len()).collect();
        assert_eq!(circles, [2]);

        let alone = [node("again", 100, &[0])];
        assert_eq!(Depths::new(&alone, 0, false).of(0), 100 + 108);
    }

    #[test]
    fn pointers_lead_to_the_worst_function_as_often_as_is_allowed() {
        let mut nodes = [
            node("check", 24, &[]),
            checked("start", 0, &[]),
            node("handler", 300, &[]),
            node("never pointed to", 900, &[]),
        ];
        nodes[1].checks[0].after.pointer = Some(16);
        nodes[2].before.pointer = Some(300);
        nodes[2].taken = true;
        let from_start = |pointers| Depths::new(&nodes, pointers, false).between_checks();
        assert_eq!(from_start(0), [(1, 8)]);
        assert_eq!(from_start(1), [(1, 16 + 308)]);
        assert_eq!(from_start(2), [(1, 16 + 300 + 308)]);
        let depths = Depths::new(&nodes, 2, false);
        assert_eq!(
            depths.chain_from_check(1),
            [
                link("start, through a pointer", 16),
                link("handler, through a pointer", 300),
                link("handler", 308),
            ]
        );
    }

    #[test]
    fn code_of_the_boot_counts_only_if_asked_for() {
        let mut nodes = [
            node("check", 24, &[]),
            checked("start", 0, &[2]),
            node("setup", 700, &[]),
        ];
        nodes[2].init = true;
        assert_eq!(Depths::new(&nodes, 0, false).between_checks(), [(1, 8)]);
        assert_eq!(Depths::new(&nodes, 0, true).between_checks(), [(1, 708)]);
    }

    #[test]
    fn what_is_reached_follows_every_call() {
        let nodes = [
            node("a", 8, &[1, 2]),
            node("b", 8, &[0]),
            node("c", 8, &[]),
            node("d", 8, &[0]),
        ];
        let depths = Depths::new(&nodes, 0, false);
        assert_eq!(depths.reached([1].into_iter()), BTreeSet::from([0, 1, 2]));
    }
}
