// SPDX-License-Identifier: GPL-2.0
//! What was found, for people.

use std::fmt;

use anyhow::Result;

use super::calls::CHECK;
use super::depth::{Depths, Link, Node};
use super::entries;
use crate::report::{self, Target};

pub struct Proof {
    rows: Vec<(String, String)>,
    text: String,
    pub buckets: Buckets,
}
pub struct Buckets(Vec<(String, Vec<f64>)>);
impl Buckets {
    pub fn groups(&self) -> Vec<(String, Vec<f64>)> {
        self.0.clone()
    }
}
impl Proof {
    pub fn targets(&self) -> Vec<Target> {
        Vec::new()
    }
    pub fn new(nodes: &[Node], indirect: usize, margin: Option<i64>) -> Result<Self> {
        let mut text = String::new();
        use std::fmt::Write;
        for (title, pointers, init) in [("direct", 0, false), ("indirect", indirect, false), ("indirect 2", indirect + 1, false), ("direct, init", 0, true)] {
            let depths = Depths::new(nodes, pointers, init);
            let mut from = depths.from_checks();
            from.sort_by_key(|(_, d)| -d);
            writeln!(text, "== {title}")?;
            let mut last = -1;
            let mut shown = 0;
            for (node, depth) in &from {
                if *depth == last { continue; }
                last = *depth;
                shown += 1;
                if shown > 6 { break; }
                writeln!(text, "{depth}: {}", show(&depths.chain_from_check(*node)))?;
            }
            let check = nodes.iter().position(|n| n.name == CHECK);
            if let Some(check) = check { writeln!(text, "callback {} {}", depths.of(check), show(&depths.chain_from_call(check)))?; }
            let mut e: Vec<_> = entries::find(nodes).into_iter().map(|(n, x)| (x + depths.of(n), n)).collect();
            e.sort(); e.reverse();
            for (d, n) in e.iter().take(8) { writeln!(text, "entry {d} {}", show(&depths.chain_from_call(*n)))?; }
            let mut w: Vec<_> = (0..nodes.len()).filter(|n| nodes[*n].taken && !nodes[*n].init).map(|n| (depths.of(n), n)).collect();
            w.sort(); w.reverse();
            for (d, n) in w.iter().take(8) { writeln!(text, "taken {d} {}", show(&depths.chain_from_call(*n)))?; }
            let mut w: Vec<_> = (0..nodes.len()).filter(|n| nodes[*n].checks.is_empty() && (init || !nodes[*n].init)).map(|n| (depths.of(n), n)).collect();
            w.sort(); w.reverse();
            for (d, n) in w.iter().take(8) { writeln!(text, "unchecked {d} {}", show(&depths.chain_from_call(*n)))?; }
            let mut c: Vec<_> = depths.circles().collect();
            c.sort_by_key(|c| std::cmp::Reverse(c.len()));
            writeln!(text, "circles {} {:?}", c.len(), c.iter().take(6).map(|c| (c.len(), c.iter().take(12).collect::<Vec<_>>())).collect::<Vec<_>>())?;
        }
        let lost: Vec<_> = nodes.iter().filter(|n| n.lost).map(|n| n.name.as_str()).collect();
        writeln!(text, "lost {} {:?}", lost.len(), lost)?;
        writeln!(text, "functions {} init {} instrumented {} taken {} pointer in unchecked {} margin {margin:?}", nodes.len(), nodes.iter().filter(|n| n.init).count(), nodes.iter().filter(|n| !n.checks.is_empty()).count(), nodes.iter().filter(|n| n.taken).count(), nodes.iter().filter(|n| n.checks.is_empty() && n.before.pointer.is_some()).count())?;
        Ok(Self { rows: vec![], text, buckets: Buckets(vec![("x".into(), vec![1.0, 2.0])]) })
    }
}
fn show(chain: &[Link]) -> String {
    chain.iter().map(|l| format!("{} {}", l.what, l.bytes)).collect::<Vec<_>>().join(" > ")
}
impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let _ = (&self.rows, report::table(&["a"]));
        write!(f, "{}", self.text)
    }
}
