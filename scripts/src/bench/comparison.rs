// SPDX-License-Identifier: GPL-2.0
//! Methods side by side, for one size of the stacks: the table and
//! the targets.

use std::fmt;

use super::prices::{OPERATIONS, Prices, index_of};
use crate::report::{self, Target};

/// The targets are set for stacks of this size.
const TARGET_SIZE_KIB: u32 = 16;
const MOST_PER_SWITCH: f64 = 60.0;
const MOST_VFORK_RATIO: f64 = 0.75;
const MOST_PER_INTERRUPT: f64 = 40.0;
const MOST_PER_STACK_FAULT: f64 = 1500.0;

const LOCKED: &str = "of them locked, per switch (pages lent)";

const SWITCH: usize = index_of("switch");
const VFORK: usize = index_of("vfork_exit");
const NULL_SYSCALL: usize = index_of("null_syscall");
const KERNEL_INTERRUPT: usize = index_of("kernel_interrupt");
const STACK_FAULTS: [usize; 2] = [index_of("stack_fault"), index_of("stack_fault_deep")];

/// One method.
pub struct Column {
    pub name: &'static str,
    pub prices: Prices,
}

pub struct Comparison {
    pub size_kib: u32,
    /// The first one is what the others are compared with.
    pub columns: Vec<Column>,
    /// How far two boots of the same column were apart, in percent.
    pub apart: f64,
}

impl Comparison {
    pub fn targets(&self) -> Vec<Target> {
        let mut targets = vec![Target::same_boots(self.apart)];
        if self.size_kib == TARGET_SIZE_KIB {
            let [off, lend, fault] = ["off", "lend", "fault"].map(|name| self.prices(name));
            if let (Some(off), Some(lend)) = (off, lend) {
                targets.extend(lend_against_off(off, lend).into_iter().flatten());
            }
            if let (Some(off), Some(fault)) = (off, fault) {
                targets.extend(fault_against_off(off, fault).into_iter().flatten());
            }
        }
        targets
    }

    /// For programs.
    pub fn lines(&self) -> String {
        let size = self.size_kib;
        let columns = self.columns.iter();
        columns
            .map(|column| column.prices.lines(&format!("{size}.{}", column.name)))
            .collect()
    }

    /// The price of `OPERATIONS[index]` in each column; None if one lacks it.
    pub fn prices_of(&self, index: usize) -> Option<Vec<f64>> {
        let columns = self.columns.iter();
        columns.map(|column| column.prices.of(index)).collect()
    }

    fn prices(&self, name: &str) -> Option<&Prices> {
        let found = self.columns.iter().find(|column| column.name == name);
        found.map(|column| &column.prices)
    }
}

/// None for what was not measured.
fn lend_against_off(off: &Prices, lend: &Prices) -> [Option<Target>; 3] {
    let pair = |index| lend.of(index).zip(off.of(index));
    let added = pair(SWITCH).map(difference);
    let [vfork, null] = [VFORK, NULL_SYSCALL].map(|index| pair(index).map(ratio));
    [
        added.map(|added| {
            Target::new(
                added <= MOST_PER_SWITCH,
                format!("lend: {added:+.1} instructions a switch (wanted: at most +60)"),
            )
        }),
        vfork.map(|vfork| {
            Target::new(
                vfork <= MOST_VFORK_RATIO,
                format!("lend: vfork+exit x{vfork:.2} (wanted: at most x0.75)"),
            )
        }),
        null.map(|null| {
            Target::new(
                format!("{null:.2}") == "1.00",
                format!("lend: null syscall x{null:.2} (wanted: x1.00)"),
            )
        }),
    ]
}

/// None for what was not measured.
fn fault_against_off(off: &Prices, fault: &Prices) -> [Option<Target>; 2] {
    let pair = |index| fault.of(index).zip(off.of(index));
    let added = pair(KERNEL_INTERRUPT).map(difference);
    let faults = STACK_FAULTS.map(|index| fault.of(index));
    let dearest = faults.into_iter().flatten().reduce(f64::max);
    [
        added.map(|added| {
            Target::new(
                added <= MOST_PER_INTERRUPT,
                format!("fault: {added:+.1} instructions an interrupt (wanted: at most +40)"),
            )
        }),
        dearest.map(|price| {
            Target::new(
                price < MOST_PER_STACK_FAULT,
                format!("fault: {price:.0} instructions a stack fault (wanted: below 1500)"),
            )
        }),
    ]
}

fn difference((price, first): (f64, f64)) -> f64 {
    price - first
}

fn ratio((price, first): (f64, f64)) -> f64 {
    price / first
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = format!("instructions, {} KiB stacks", self.size_kib);
        let names = self.columns.iter().map(|column| column.name);
        let header: Vec<_> = [title.as_str()].into_iter().chain(names).collect();
        let mut table = report::table(&header);
        for (index, operation) in OPERATIONS.iter().enumerate() {
            let Some(prices) = self.prices_of(index) else {
                continue;
            };
            table.add_row(row(
                operation.name,
                prices.iter().map(|price| format!("{price:.1}")),
            ));
            if let [first, others @ ..] = &prices[..]
                && !others.is_empty()
            {
                let label = format!("    against {}", self.columns[0].name);
                let cells = others
                    .iter()
                    .map(|price| report::against(*first, *price, 1));
                table.add_row(row(&label, [String::new()].into_iter().chain(cells)));
            }
        }
        let lends = self
            .columns
            .iter()
            .map(|column| column.prices.lends_per_switch);
        table.add_row(row(LOCKED, lends.map(|lends| format!("{lends:.2}"))));
        writeln!(f, "{table}")?;
        report::write_targets(f, &self.targets())
    }
}

fn row(name: &str, cells: impl Iterator<Item = String>) -> Vec<String> {
    [name.to_string()].into_iter().chain(cells).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prices(text: &str) -> Prices {
        let lines: Vec<_> = text.lines().map(str::to_string).collect();
        Prices::read(&lines).unwrap()
    }

    fn recorded() -> Comparison {
        let column = |name, text| Column {
            name,
            prices: prices(text),
        };
        Comparison {
            size_kib: 16,
            columns: vec![
                column("off", include_str!("../../tests/data/bench-off.log")),
                column("lend", include_str!("../../tests/data/bench-lend.log")),
                column("fault", include_str!("../../tests/data/bench-fault.log")),
            ],
            apart: 0.0,
        }
    }

    fn missed(comparison: &Comparison) -> Vec<String> {
        let missed = comparison.targets().into_iter().filter(Target::failed);
        missed.map(|target| target.text).collect()
    }

    #[test]
    fn recorded_output_becomes_this_table() {
        assert_eq!(
            recorded().to_string(),
            include_str!("../../tests/data/bench.txt")
        );
    }

    #[test]
    fn boots_that_differ_are_a_failure() {
        let mut comparison = recorded();
        assert!(missed(&comparison).is_empty());
        comparison.apart = 0.001;
        assert_eq!(
            missed(&comparison),
            ["two boots count the same (apart: 0.001 %)"]
        );
    }
}
