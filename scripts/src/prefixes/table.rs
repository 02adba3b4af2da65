// SPDX-License-Identifier: GPL-2.0
//! What became of each stage, as one table.

use std::fmt;

use crate::method;
use crate::report;

/// Stands for a method where a stage has none yet.
pub const PLAIN: &str = "boot";

/// One boot; without faults it went well.
pub struct Cell {
    pub faults: Vec<String>,
}

pub struct Row {
    stage: String,
    /// None if the stage was not built.
    pub text_bytes: Option<u64>,
    /// With the method of each, or [`PLAIN`].
    pub boots: Vec<(&'static str, Cell)>,
    complaints: Vec<String>,
}

impl Row {
    pub fn new(stage: &str) -> Self {
        Self {
            stage: stage.to_string(),
            text_bytes: None,
            boots: Vec::new(),
            complaints: Vec::new(),
        }
    }

    /// What is wrong with the stage besides its boots.
    pub fn complain(&mut self, what: &str) {
        self.complaints.push(what.to_string());
    }

    /// Built without the feature.
    pub fn is_plain(&self) -> bool {
        self.boots.iter().any(|(method, _)| *method == PLAIN)
    }

    fn cells(&self) -> Vec<String> {
        let built = self.text_bytes.map_or("FAIL", |_| "ok").to_string();
        let text = self.text_bytes.map_or("-".to_string(), |n| n.to_string());
        let mut cells = vec![self.stage.clone(), built, text];
        for method in [PLAIN].into_iter().chain(method::ALL) {
            let boot = self.boots.iter().find(|(name, _)| *name == method);
            let cell = match boot {
                None => "-",
                Some((_, cell)) if cell.faults.is_empty() => "ok",
                Some(_) => "FAIL",
            };
            cells.push(cell.to_string());
        }
        cells
    }

    fn faults(&self) -> Vec<String> {
        let complaints = self.complaints.iter();
        let complaints = complaints.map(|what| format!("{}: {what}", self.stage));
        let boots = self.boots.iter().flat_map(|(method, cell)| {
            let faults = cell.faults.iter();
            faults.map(move |what| format!("{}, {method}: {what}", self.stage))
        });
        complaints.chain(boots).collect()
    }
}

#[derive(Default)]
pub struct Table {
    rows: Vec<Row>,
}

impl Table {
    pub fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// How many stages have a fault.
    pub fn failures(&self) -> usize {
        let rows = self.rows.iter();
        rows.filter(|row| !row.faults().is_empty()).count()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = ["after patch", "built", ".text", PLAIN];
        let mut table = report::table(&[&header[..], &method::ALL].concat());
        for row in &self.rows {
            table.add_row(row.cells());
        }
        writeln!(f, "{table}")?;
        for fault in self.rows.iter().flat_map(Row::faults) {
            writeln!(f, "FAIL {fault}")?;
        }
        let failed = self.failures();
        let passed = self.rows.len() - failed;
        writeln!(f, "{passed} passed, {failed} failed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boot(faults: &[&str]) -> Cell {
        Cell {
            faults: faults.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn each_fault_is_in_the_table_and_below_it() {
        let mut table = Table::default();
        let mut row = Row::new("base");
        row.text_bytes = Some(4000);
        row.boots.push((PLAIN, boot(&[])));
        table.add(row);
        let mut row = Row::new("0001 fork: Do x");
        row.complain("build 0001 fork: Do x failed");
        table.add(row);
        let mut row = Row::new("0002 x86: Do y");
        row.text_bytes = Some(4096);
        row.boots.push(("off", boot(&[])));
        row.boots.push(("lend", boot(&["kernel log: BUG: z"])));
        table.add(row);
        assert_eq!(
            table.to_string(),
            include_str!("../../tests/data/prefixes.txt")
        );
        assert_eq!(table.failures(), 2);
    }
}
