// SPDX-License-Identifier: GPL-2.0
//! Kernels side by side: the table.

use std::fmt;

use super::recipe::Recipe;
use super::row::{COLUMNS, Row};
use super::verdict;
use crate::bench::prices::OPERATIONS;
use crate::report::{self, Target};

const LEGEND: &str = "-N: checks in functions with frames from N bytes on";
const RISKY: &str = "few functions check, and no margin is enough for all others";

#[derive(Default)]
pub struct Costs {
    pub rows: Vec<Row>,
    /// Kernels that did not live to the end, and under which method.
    pub died: Vec<(&'static Recipe, &'static str)>,
    /// How far two boots of the same kernel were apart, in percent.
    apart: f64,
}

impl Costs {
    pub fn add(&mut self, row: Row, apart: f64) {
        self.rows.push(row);
        self.apart = self.apart.max(apart);
    }

    pub fn row(&self, name: &str, method: &str) -> Option<&Row> {
        let mut rows = self.rows.iter();
        rows.find(|row| row.recipe.name == name && row.method == method)
    }

    /// None for a row that has nothing left out, or whose kernel was not measured.
    pub fn compared_with(&self, row: &Row) -> Option<&Row> {
        self.row(row.recipe.base()?, "off")
    }

    pub fn target(&self) -> Target {
        Target::same_boots(self.apart)
    }

    pub fn deaths(&self) -> Vec<Target> {
        let died = self.died.iter();
        died.map(|(recipe, method)| {
            let text = format!("{} lives under {method}", recipe.name);
            Target {
                excuse: recipe.is_risky(method).then_some(RISKY),
                ..Target::new(false, text)
            }
        })
        .collect()
    }

    /// For programs.
    pub fn lines(&self) -> String {
        self.rows.iter().map(Row::lines).collect()
    }
}

impl fmt::Display for Costs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operations = COLUMNS.map(|index| OPERATIONS[index].name);
        let mut header = vec!["instructions"];
        header.extend(operations);
        header.extend(["bytes of .text", "functions with a check"]);
        let mut table = report::table(&header);
        for row in &self.rows {
            let mut cells = vec![row.label()];
            cells.extend(row.prices.map(|price| format!("{price:.1}")));
            cells.extend([row.text_bytes.to_string(), row.checked.to_string()]);
            table.add_row(cells);
            if let Some(base) = self.compared_with(row) {
                let prices = row.prices.iter().zip(base.prices);
                let mut cells = vec![format!("    against {}", base.recipe.name)];
                cells.extend(prices.map(|(price, first)| report::against(first, *price, 1)));
                let (first, bytes) = (base.text_bytes as f64, row.text_bytes as f64);
                cells.extend([report::against(first, bytes, 0), String::new()]);
                table.add_row(cells);
            }
        }
        writeln!(f, "{table}\n{LEGEND}")?;
        for sentence in verdict::sentences(self) {
            writeln!(f, "{sentence}")?;
        }
        let mut targets = self.deaths();
        targets.push(self.target());
        report::write_targets(f, &targets)
    }
}

#[cfg(test)]
pub mod tests {
    use super::super::recipe;
    use super::*;

    /// Numbers made up for tests, with one that is easy to tell for each operation.
    pub fn made_up(rows: &[(&str, &'static str, [f64; 4])]) -> Costs {
        let mut costs = Costs::default();
        for (name, method, prices) in rows {
            let row = Row {
                recipe: recipe::named(name),
                method,
                prices: *prices,
                text_bytes: 1000 + 100 * costs.rows.len() as u64,
                checked: 7 * costs.rows.len(),
            };
            costs.add(row, 0.0);
        }
        costs
    }

    #[test]
    fn rows_are_compared_with_the_same_compiler_without_checks() {
        let costs = made_up(&[
            ("clang", "off", [200.0, 2000.0, 6000.0, 5000.0]),
            ("clang-64", "off", [210.0, 2000.0, 6000.0, 5000.5]),
            ("clang-64", "probe", [220.0, 2000.0, 6600.0, 5000.0]),
            ("gcc-0", "off", [300.0, 3000.0, 9000.0, 9000.0]),
        ]);
        let wanted = "\
| instructions      |  null syscall | context switch | pipe round trip | 4 KiB file read | bytes of .text | functions with a check |
|-------------------|---------------|----------------|-----------------|-----------------|----------------|------------------------|
| clang, off        |         200.0 |         2000.0 |          6000.0 |          5000.0 |           1000 |                      0 |
| clang-64, off     |         210.0 |         2000.0 |          6000.0 |          5000.5 |           1100 |                      7 |
|     against clang | +10.0, x1.050 |   +0.0, x1.000 |    +0.0, x1.000 |    +0.5, x1.000 |   +100, x1.100 |                        |
| clang-64, probe   |         220.0 |         2000.0 |          6600.0 |          5000.0 |           1200 |                     14 |
|     against clang | +20.0, x1.100 |   +0.0, x1.000 |  +600.0, x1.100 |    +0.0, x1.000 |   +200, x1.200 |                        |
| gcc-0, off        |         300.0 |         3000.0 |          9000.0 |          9000.0 |           1300 |                     21 |
-N: checks in functions with frames from N bytes on
ok: two boots count the same (apart: 0.000 %)
";
        assert_eq!(costs.to_string(), wanted);
        assert!(costs.lines().contains("\nclang-64.probe.switch 2000.00\n"));
    }

    #[test]
    fn only_a_kernel_with_few_checks_may_die() {
        let deaths = |name, method| Costs {
            died: vec![(recipe::named(name), method)],
            ..Costs::default()
        };
        let failed = |name, method| deaths(name, method).deaths()[0].failed();
        assert!(!failed("clang-1024", "probe"));
        assert!(failed("clang-1024", "off") && failed("clang-64", "probe"));
        let text = deaths("clang-1024", "probe").to_string();
        assert!(
            text.contains("\nmissed: clang-1024 lives under probe: few"),
            "{text}"
        );
    }

    #[test]
    fn boots_that_differ_are_a_failure() {
        let mut costs = made_up(&[("clang", "off", [1.0; 4])]);
        assert!(!costs.target().failed());
        let row = costs.rows.remove(0);
        costs.add(row, 0.5);
        assert!(costs.target().failed());
    }
}
