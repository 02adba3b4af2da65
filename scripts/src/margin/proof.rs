// SPDX-License-Identifier: GPL-2.0
//! What the rules say of one image.

use std::collections::BTreeSet;

use super::calls::CHECK;
use super::depth::{Depths, Link, Node};
use super::entries;
use crate::report::Target;

/// A thread begins with one page, and enters the kernel at its top.
const FIRST_PAGE: i64 = 4096;
pub const MARGIN: &str = "CONFIG_DYNAMIC_STACK_PROBE_MARGIN";

pub struct Proof {
    pub counts: Counts,
    /// By direct calls alone, and with calls through pointers.
    pub rules: [Rule; 2],
    /// How many of those are allowed in a row.
    pub pointers: usize,
    /// What the kernel was built with, if it has the method.
    pub margin: Option<i64>,
}

pub struct Counts {
    pub functions: usize,
    pub init: usize,
    pub checked: usize,
    /// Without a check, but with a frame.
    pub unchecked: usize,
    pub largest_unchecked: Link,
    /// With what it calls before its check left out.
    pub largest_checked: Link,
    pub taken: usize,
    /// Without a check, and calling through pointers.
    pub callers_of_pointers: usize,
    /// Functions that call each other without a check between.
    pub circles: Vec<Vec<String>>,
    /// There is no bound for their stack, and chains lead through them.
    pub lost: Vec<String>,
    /// They let interrupts in on the way from an entry to its check.
    pub enable_interrupts: Vec<String>,
}

/// How deep it goes under one rule.
pub struct Rule {
    pub callback: i64,
    /// From a check to the next one.
    pub chain: Chain,
    /// From before an interrupt or exception to a check, and the same with FRED.
    pub idt: Chain,
    pub fred: Chain,
    /// From the top of the stack to a check.
    pub first: Chain,
    /// From a check, if the functions of the boot counted, too.
    pub with_init: Chain,
    /// From a check of each function that has one.
    pub depths: Vec<i64>,
}

#[derive(Default)]
pub struct Chain {
    pub bytes: i64,
    pub links: Vec<Link>,
}

impl Proof {
    pub fn new(nodes: &[Node], pointers: usize, margin: Option<i64>) -> Self {
        Self {
            counts: Counts::new(nodes),
            rules: [0, pointers].map(|pointers| Rule::new(nodes, pointers)),
            pointers,
            margin,
        }
    }

    pub fn targets(&self) -> Vec<Target> {
        let [_, rule] = &self.rules;
        let first = rule.needed_at_the_top();
        let lost = &self.counts.lost;
        let mut targets = vec![
            Target::new(
                lost.is_empty(),
                match lost.is_empty() {
                    true => "every frame is bounded".to_string(),
                    false => format!("no bound for the frames of {}", lost.join(", ")),
                },
            ),
            Target::new(
                first <= FIRST_PAGE,
                format!("{first} bytes from the top of the stack (wanted: at most {FIRST_PAGE})"),
            ),
        ];
        if let Some(margin) = self.margin {
            let needed = rule.needed();
            targets.push(Target::new(
                needed <= margin,
                format!("{needed} bytes between checks (margin: {margin})"),
            ));
        }
        targets
    }
}

impl Rule {
    fn new(nodes: &[Node], pointers: usize) -> Self {
        let depths = Depths::new(nodes, pointers, false);
        let from_checks = depths.between_checks();
        let callback = nodes.iter().position(|node| node.name == CHECK);
        let with_init = Depths::new(nodes, pointers, true);
        Self {
            callback: callback.map_or(0, |node| depths.of(node)),
            chain: deepest_from_check(&depths),
            idt: deepest_from_call(&depths, &entries::through_idt(nodes)),
            fred: deepest_from_call(&depths, &entries::through_fred(nodes)),
            first: deepest_from_call(&depths, &entries::at_the_top(nodes)),
            with_init: deepest_from_check(&with_init),
            depths: from_checks.into_iter().map(|(_, depth)| depth).collect(),
        }
    }

    /// The interrupt may come where the chain is deepest.
    pub fn needed(&self) -> i64 {
        self.chain.bytes + self.entry()
    }

    fn needed_at_the_top(&self) -> i64 {
        self.first.bytes + self.entry()
    }

    fn entry(&self) -> i64 {
        self.idt.bytes.max(self.fred.bytes)
    }
}

impl Counts {
    fn new(nodes: &[Node]) -> Self {
        let count = |wanted: fn(&Node) -> bool| nodes.iter().filter(|node| wanted(node)).count();
        let largest = |checked: bool| {
            let nodes = nodes.iter();
            let frames = nodes
                .filter(|node| !node.init && node.checks.is_empty() != checked)
                .map(|node| Link {
                    what: node.name.clone(),
                    bytes: node.frame(),
                });
            frames.max_by_key(|link| link.bytes).unwrap_or_default()
        };
        let depths = Depths::new(nodes, 0, false);
        let mut circles: Vec<Vec<_>> = depths
            .circles()
            .map(|circle| circle.into_iter().map(str::to_string).collect())
            .collect();
        circles.sort_by_key(|circle| std::cmp::Reverse(circle.len()));

        let entries = [entries::through_idt(nodes), entries::through_fred(nodes)].concat();
        let from_entries = depths.reached(entries.into_iter().map(|(node, _)| node));
        let names = |set: &BTreeSet<usize>, wanted: fn(&Node) -> bool| -> Vec<String> {
            let nodes = set.iter().map(|node| &nodes[*node]);
            let wanted = nodes.filter(|node| wanted(node));
            wanted.map(|node| node.name.clone()).collect()
        };
        let taken = (0..nodes.len()).filter(|node| nodes[*node].taken);
        let checked = (0..nodes.len()).filter(|node| !nodes[*node].checks.is_empty());
        let below = checked
            .clone()
            .flat_map(|node| &nodes[node].checks)
            .flat_map(|check| &check.after.calls)
            .map(|call| call.to);
        let mut on_chains = depths.reached(taken.chain(checked.clone()).chain(below));
        on_chains.extend(&from_entries);
        Self {
            functions: nodes.len(),
            init: count(|node| node.init),
            checked: count(|node| !node.checks.is_empty()),
            unchecked: count(|node| !node.init && node.checks.is_empty() && node.has_frame()),
            largest_unchecked: largest(false),
            largest_checked: largest(true),
            taken: count(|node| node.taken),
            callers_of_pointers: count(|node| {
                !node.init && node.checks.is_empty() && node.before.pointer.is_some()
            }),
            circles,
            lost: names(&on_chains, |node| node.lost),
            enable_interrupts: names(&from_entries, |node| node.enables_interrupts),
        }
    }
}

fn deepest_from_check(depths: &Depths) -> Chain {
    let from_checks = depths.between_checks().into_iter();
    let deepest = from_checks.max_by_key(|(_, depth)| *depth);
    deepest.map_or_else(Chain::default, |(node, bytes)| Chain {
        bytes,
        links: depths.chain_from_check(node),
    })
}

/// The deepest of these, each with what comes before it.
fn deepest_from_call(depths: &Depths, starts: &[(usize, i64)]) -> Chain {
    let deepest = starts
        .iter()
        .max_by_key(|(node, extra)| depths.of(*node) + extra);
    let Some((node, extra)) = deepest else {
        return Chain::default();
    };
    let before = Link {
        what: "before it".to_string(),
        bytes: *extra,
    };
    let mut links = vec![before];
    links.extend(depths.chain_from_call(*node));
    Chain {
        bytes: depths.of(*node) + extra,
        links,
    }
}
