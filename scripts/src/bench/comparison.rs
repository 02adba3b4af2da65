// SPDX-License-Identifier: GPL-2.0
//! `off` against `lend`, for one size of the stacks: the table and the targets.

use std::fmt;

use super::prices::{OPERATIONS, Prices};
use crate::report::{self, Target};

/// Two runs of the same kernel may differ by this, in percent.
const TOLERANCE: f64 = 0.1;
/// The targets are set for stacks of this size.
const TARGET_SIZE_KIB: u32 = 16;
const MOST_PER_SWITCH: f64 = 60.0;
const MOST_VFORK_RATIO: f64 = 0.75;

const SWITCH: usize = 0;
const VFORK: usize = 2;
const NULL_SYSCALL: usize = 3;

pub struct Comparison {
    pub size_kib: u32,
    pub off: Prices,
    pub lend: Prices,
    /// How far two runs of the same kernel were apart, in percent.
    pub apart: f64,
}

impl Comparison {
    pub fn targets(&self) -> Vec<Target> {
        let apart = self.apart;
        let mut targets = vec![Target::new(
            apart <= TOLERANCE,
            format!("two runs agree within {TOLERANCE} % (apart: {apart:.3} %)"),
        )];
        if self.size_kib != TARGET_SIZE_KIB {
            return targets;
        }
        let added = self.added(SWITCH);
        let vfork = self.ratio(VFORK);
        let null = self.ratio(NULL_SYSCALL);
        targets.extend([
            Target::new(
                added <= MOST_PER_SWITCH,
                format!("{added:+.1} instructions a switch (wanted: at most +60)"),
            ),
            Target::new(
                vfork <= MOST_VFORK_RATIO,
                format!("vfork+exit x{vfork:.2} (wanted: at most x0.75)"),
            ),
            Target::new(
                format!("{null:.2}") == "1.00",
                format!("null syscall x{null:.2} (wanted: x1.00)"),
            ),
        ]);
        targets
    }

    /// `lend` in percent of `off`, of the operation and of all others.
    pub fn percent(&self, index: usize) -> f64 {
        100.0 * self.ratio(index)
    }

    /// For programs.
    pub fn lines(&self) -> String {
        let size = self.size_kib;
        self.off.lines(&format!("{size}.off")) + &self.lend.lines(&format!("{size}.lend"))
    }

    fn added(&self, index: usize) -> f64 {
        self.lend.of(index) - self.off.of(index)
    }

    fn ratio(&self, index: usize) -> f64 {
        self.lend.of(index) / self.off.of(index)
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = format!("instructions, {} KiB stacks", self.size_kib);
        let mut table = report::table(&[&title, "off", "lend", "difference", "ratio"]);
        for (index, (_, name)) in OPERATIONS.iter().enumerate() {
            table.add_row([
                name.to_string(),
                format!("{:.1}", self.off.of(index)),
                format!("{:.1}", self.lend.of(index)),
                format!("{:+.1}", self.added(index)),
                format!("x{:.2}", self.ratio(index)),
            ]);
        }
        let locked = |prices: &Prices| format!("{:.2}", prices.lends_per_switch);
        table.add_row([
            "of them locked, per switch (pages lent)".to_string(),
            locked(&self.off),
            locked(&self.lend),
        ]);
        writeln!(f, "{table}")?;
        report::write_targets(f, &self.targets())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prices(text: &str) -> Prices {
        let lines: Vec<_> = text.lines().map(str::to_string).collect();
        Prices::read(&lines).unwrap()
    }

    #[test]
    fn recorded_output_becomes_this_table() {
        let comparison = Comparison {
            size_kib: 16,
            off: prices(include_str!("../../tests/data/bench-off.log")),
            lend: prices(include_str!("../../tests/data/bench-lend.log")),
            apart: 0.02,
        };
        assert_eq!(
            comparison.to_string(),
            include_str!("../../tests/data/bench.txt")
        );
    }
}
