// SPDX-License-Identifier: GPL-2.0
//! What was found, for people.

use std::fmt;

use super::depth::Link;
use super::proof::{Chain, Counts, MARGIN, Proof};
use crate::report;

/// Of a long list.
const NAMES_SHOWN: usize = 8;
/// Upper ends of the ranges that the plot shows; the last range has none.
const RANGES: [i64; 6] = [64, 128, 256, 512, 1024, 2048];

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.counts.fmt(f)?;
        let with_pointers = format!("{} through pointers", self.pointers);
        let mut table = report::table(&["bytes of stack", "direct calls", &with_pointers]);
        let rows: [(&str, [i64; 2]); 7] = [
            ("a check itself", self.of_both(|rule| rule.callback)),
            (
                "deepest chain from check to check",
                self.of_both(|rule| rule.chain.bytes),
            ),
            (
                "interrupt or exception, up to a check",
                self.of_both(|rule| rule.idt.bytes),
            ),
            (
                "    the same with FRED",
                self.of_both(|rule| rule.fred.bytes),
            ),
            (
                "the chain and the deeper entry",
                self.of_both(|rule| rule.needed()),
            ),
            (
                "from the top of the stack to a check",
                self.of_both(|rule| rule.first.bytes),
            ),
            (
                "deepest chain with code of the boot",
                self.of_both(|rule| rule.with_init.bytes),
            ),
        ];
        for (name, bytes) in rows {
            let bytes = bytes.map(|bytes| bytes.to_string());
            table.add_row([name.to_string()].into_iter().chain(bytes));
        }
        writeln!(f, "{table}")?;
        for (rule, how) in self.rules.iter().zip(["direct calls", &with_pointers]) {
            let chains = [
                ("deepest chain", &rule.chain),
                ("deepest entry", &rule.idt),
                ("deepest entry with FRED", &rule.fred),
                ("from the top", &rule.first),
            ];
            for (what, chain) in chains {
                writeln!(f, "{what}, {how}: {} bytes", chain.bytes)?;
                chain.fmt(f)?;
            }
        }
        report::write_targets(f, &self.targets())?;
        match self.margin {
            Some(_) => Ok(()),
            None => writeln!(f, "no {MARGIN} in this kernel to compare with"),
        }
    }
}

impl Proof {
    fn of_both(&self, bytes: fn(&super::proof::Rule) -> i64) -> [i64; 2] {
        [bytes(&self.rules[0]), bytes(&self.rules[1])]
    }

    /// How many functions have a deepest chain within each range, under both rules.
    pub fn ranges(&self) -> Vec<(String, Vec<f64>)> {
        let mut groups = Vec::new();
        let mut from = 0;
        for to in RANGES.into_iter().chain([i64::MAX]) {
            let label = match to {
                i64::MAX => format!("{from} or more"),
                to => format!("{from} to {}", to - 1),
            };
            let counts = self.rules.iter().map(|rule| {
                let depths = rule.depths.iter();
                depths.filter(|depth| (from..to).contains(*depth)).count() as f64
            });
            groups.push((label, counts.collect()));
            from = to;
        }
        groups
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = report::table(&["functions", "", ""]);
        let frame = |link: &Link| format!("{} bytes", link.bytes);
        let rows = [
            ("all", self.functions.to_string(), String::new()),
            ("with a check", self.checked.to_string(), String::new()),
            (
                "without a check, with a frame",
                self.unchecked.to_string(),
                String::new(),
            ),
            (
                "run at boot only, left out",
                self.init.to_string(),
                String::new(),
            ),
            (
                "largest frame without a check",
                frame(&self.largest_unchecked),
                self.largest_unchecked.what.clone(),
            ),
            (
                "largest frame with a check",
                frame(&self.largest_checked),
                self.largest_checked.what.clone(),
            ),
            (
                "with their address somewhere",
                self.taken.to_string(),
                String::new(),
            ),
            (
                "without a check, call through pointers",
                self.callers_of_pointers.to_string(),
                String::new(),
            ),
            (
                "circles without a check",
                self.circles.len().to_string(),
                self.circles
                    .first()
                    .map_or_else(String::new, |circle| names(circle)),
            ),
            (
                "entry code that enables interrupts",
                self.enable_interrupts.len().to_string(),
                names(&self.enable_interrupts),
            ),
        ];
        for (name, count, what) in rows {
            table.add_row([name.to_string(), count, what]);
        }
        writeln!(f, "{table}")
    }
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.links
            .iter()
            .try_for_each(|Link { what, bytes }| writeln!(f, "{bytes:>8}  {what}"))
    }
}

/// Some of many.
pub fn names<T: AsRef<str>>(all: &[T]) -> String {
    let shown: Vec<_> = all.iter().take(NAMES_SHOWN).map(AsRef::as_ref).collect();
    match all.len().checked_sub(NAMES_SHOWN) {
        None | Some(0) => shown.join(", "),
        Some(more) => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::calls::CHECK;
    use super::super::depth::{Call, Check, Node, Piece};
    use super::*;

    fn piece(bytes: i64, calls: &[usize]) -> Piece {
        let calls = calls.iter().map(|to| Call { bytes, to: *to });
        Piece {
            deepest: bytes + 8,
            calls: calls.collect(),
            pointer: None,
        }
    }

    fn node(name: &str, before: Piece) -> Node {
        Node {
            name: name.to_string(),
            before,
            ..Node::default()
        }
    }

    /// A system call with a check that calls one function without, which calls another
    /// through a pointer; an interrupt; and code of the boot.
    fn nodes() -> Vec<Node> {
        let check = Check {
            depth: 64,
            after: piece(64, &[3, 6]),
        };
        let mut nodes = vec![
            node(CHECK, piece(24, &[])),
            node("entry_SYSCALL_64", piece(176, &[2])),
            node("sys_read", piece(64, &[0])),
            node("vfs_read", piece(100, &[])),
            node("ext4_read", piece(200, &[0])),
            node("asm_exc_page_fault", piece(184, &[2])),
            node("setup", piece(900, &[])),
        ];
        nodes[2].checks.push(check);
        nodes[3].before.pointer = Some(100);
        nodes[4].taken = true;
        nodes[6].init = true;
        nodes
    }

    fn failed(proof: &Proof) -> Vec<String> {
        let failed = proof.targets().into_iter().filter(report::Target::failed);
        failed.map(|target| target.text).collect()
    }

    #[test]
    fn calls_and_frames_become_this_text() {
        let proof = Proof::new(&nodes(), 1, Some(640));
        assert_eq!(
            proof.to_string(),
            include_str!("../../tests/data/margin.txt")
        );
    }

    #[test]
    fn a_margin_is_enough_or_too_small() {
        let needed = Proof::new(&nodes(), 1, None).rules[1].needed();
        assert_eq!(needed, (100 + 232) + (8 + 184 + 64 + 32));
        let with = |margin| failed(&Proof::new(&nodes(), 1, Some(margin)));
        assert_eq!(with(needed), Vec::<String>::new());
        assert_eq!(with(needed - 1), ["620 bytes between checks (margin: 619)"]);
    }

    #[test]
    fn frames_without_a_bound_fail_where_chains_lead_to_them() {
        let mut nodes = nodes();
        nodes[6].lost = true;
        assert_eq!(failed(&Proof::new(&nodes, 1, None)), Vec::<String>::new());
        nodes[3].lost = true;
        assert_eq!(
            failed(&Proof::new(&nodes, 1, None)),
            ["no bound for the frames of vfs_read"]
        );
    }

    #[test]
    fn ranges_count_functions_with_a_check() {
        let ranges = Proof::new(&nodes(), 1, None).ranges();
        assert_eq!(ranges[1], ("64 to 127".to_string(), vec![1.0, 0.0]));
        assert_eq!(ranges[3], ("256 to 511".to_string(), vec![0.0, 1.0]));
        assert_eq!(ranges[6].0, "2048 or more");
    }

    #[test]
    fn long_lists_are_cut() {
        assert_eq!(names(&["a", "b"]), "a, b");
        let many: Vec<_> = (0..10).map(|number| number.to_string()).collect();
        assert_eq!(names(&many), "0, 1, 2, 3, 4, 5, 6, 7 and 2 more");
    }
}
