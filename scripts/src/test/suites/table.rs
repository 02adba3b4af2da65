// SPDX-License-Identifier: GPL-2.0
//! The results of each suite in each column, and which of them a method breaks.

use std::collections::BTreeMap;
use std::fmt;

use crate::ktap;
use crate::report;
use crate::test::verdict::{Counts, SKIP, TIMED_OUT};

/// The case of a guest that did not live to the end of its suite.
const GUEST: &str = "the guest";

/// Characters of why something failed that is not to be counted.
const LONGEST: usize = 160;

/// The better first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Ok,
    /// KUnit skips what it lets fail: a test of what the compiler need not do. It may
    /// pass by chance.
    MayFail,
    Skipped,
    Failed(String),
}

pub struct Table {
    /// The first one is what the others are compared with.
    columns: Vec<&'static str>,
    first: First,
    rows: Vec<Row>,
}

/// What a failure in the first column means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum First {
    /// Others may fail in the same, which nobody blames on the series.
    Excuses,
    /// What it means in any other column.
    Counts,
}

struct Row {
    suite: String,
    /// By name, with a verdict for each column that has one.
    cases: BTreeMap<String, Vec<Option<Verdict>>>,
}

/// One case that is worse in a column than in the first.
struct Broken<'a> {
    suite: &'a str,
    case: &'a str,
    column: &'static str,
    why: &'a str,
}

impl Verdict {
    /// `status` is that of the program, if it ended.
    pub fn new(status: Option<i32>) -> Self {
        match status {
            Some(0) => Self::Ok,
            Some(SKIP) => Self::Skipped,
            Some(status) if TIMED_OUT.contains(&status) => Self::Failed("timed out".to_string()),
            Some(status) => Self::Failed(format!("exit status {status}")),
            None => Self::Failed("did not end".to_string()),
        }
    }
}

impl From<&ktap::Verdict> for Verdict {
    fn from(verdict: &ktap::Verdict) -> Self {
        match verdict {
            ktap::Verdict::Ok => Self::Ok,
            ktap::Verdict::Skipped(why) if why.starts_with("XFAIL ") => Self::MayFail,
            ktap::Verdict::Skipped(_) => Self::Skipped,
            ktap::Verdict::Failed(why) if why.is_empty() => Self::Failed("failed".to_string()),
            ktap::Verdict::Failed(why) => Self::Failed(why.clone()),
        }
    }
}

impl Table {
    pub fn new(columns: &[&'static str], first: First) -> Self {
        Self {
            columns: columns.to_vec(),
            first,
            rows: Vec::new(),
        }
    }

    /// A case that comes twice counts once, by the worse of its verdicts.
    pub fn add(&mut self, suite: &str, column: &str, case: &str, verdict: Verdict) {
        let Some(index) = self.columns.iter().position(|name| *name == column) else {
            return;
        };
        let width = self.columns.len();
        let cases = &mut self.row(suite).cases;
        let verdicts = cases
            .entry(case.to_string())
            .or_insert_with(|| vec![None; width]);
        verdicts[index] = verdicts[index].take().max(Some(verdict));
    }

    /// The guest died in the middle of `suite`.
    pub fn add_death(&mut self, suite: &str, column: &str, log: &str) {
        let why = format!("died, see {log}");
        self.add(suite, column, GUEST, Verdict::Failed(why));
    }

    fn row(&mut self, suite: &str) -> &mut Row {
        let known = self.rows.iter().position(|row| row.suite == suite);
        let index = known.unwrap_or_else(|| {
            self.rows.push(Row {
                suite: suite.to_string(),
                cases: BTreeMap::new(),
            });
            self.rows.len() - 1
        });
        &mut self.rows[index]
    }

    fn broken(&self) -> Vec<Broken<'_>> {
        let mut broken = Vec::new();
        for row in &self.rows {
            for (case, verdicts) in &row.cases {
                if self.excuses(verdicts) {
                    continue;
                }
                for (column, verdict) in self.columns.iter().zip(verdicts) {
                    if let Some(why) = broken_by(verdicts[0].as_ref(), verdict.as_ref()) {
                        broken.push(Broken {
                            suite: &row.suite,
                            case,
                            column,
                            why,
                        });
                    }
                }
            }
        }
        broken
    }

    fn excuses(&self, verdicts: &[Option<Verdict>]) -> bool {
        self.first == First::Excuses && matches!(verdicts[0], Some(Verdict::Failed(_)))
    }

    pub fn regressions(&self) -> usize {
        self.broken().len()
    }

    /// Whether a guest died, and that of the first column is no excuse.
    pub fn lost_a_guest(&self) -> bool {
        self.broken().iter().any(|broken| broken.case == GUEST)
    }

    /// What passes in the first column, and what is worse in another.
    pub fn counts(&self) -> Counts {
        Counts {
            passed: self.passed(),
            failed: self.regressions(),
            skipped: 0,
        }
    }

    /// In the first column.
    pub fn passed(&self) -> usize {
        let rows = self.rows.iter();
        rows.map(|row| row.counts(0).passed).sum()
    }
}

/// What is wrong with `verdict` if the first column has `reference`. What did not run
/// there, such as tests that only the series brings, must not fail either.
fn broken_by<'a>(reference: Option<&Verdict>, verdict: Option<&'a Verdict>) -> Option<&'a str> {
    match (reference, verdict) {
        (_, Some(Verdict::Failed(why))) => Some(why),
        (Some(Verdict::Ok), Some(Verdict::Skipped)) => Some("skip"),
        (Some(Verdict::Ok), None) => Some("did not run"),
        _ => None,
    }
}

/// Some tests tell a long story.
fn beginning(why: &str) -> String {
    match why.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{} ...", &why[..end]),
        None => why.to_string(),
    }
}

impl Row {
    fn counts(&self, column: usize) -> Counts {
        let mut counts = Counts::default();
        for verdicts in self.cases.values() {
            match &verdicts[column] {
                Some(Verdict::Ok) => counts.passed += 1,
                Some(Verdict::Skipped | Verdict::MayFail) => counts.skipped += 1,
                Some(Verdict::Failed(_)) => counts.failed += 1,
                None => {}
            }
        }
        counts
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.columns.iter().copied();
        let header: Vec<_> = ["suite"].into_iter().chain(columns).collect();
        let mut table = report::table(&header);
        for row in &self.rows {
            let cells = (0..self.columns.len()).map(|column| row.counts(column).cell());
            table.add_row([row.suite.clone()].into_iter().chain(cells));
        }
        writeln!(f, "{table}")?;
        let first = self.columns.first().copied().unwrap_or_default();
        for row in &self.rows {
            for (case, verdicts) in &row.cases {
                if !self.excuses(verdicts) {
                    continue;
                }
                if let Some(Verdict::Failed(why)) = &verdicts[0] {
                    writeln!(
                        f,
                        "fails under {first} already: {}: {case}: {}",
                        row.suite,
                        beginning(why)
                    )?;
                }
            }
        }
        for broken in self.broken() {
            let Broken {
                suite,
                case,
                column,
                why,
            } = broken;
            writeln!(f, "FAIL {suite}: {case}, {column}: {why}")?;
        }
        let (passed, broken) = (self.passed(), self.regressions());
        let others = match self.first {
            First::Excuses => " under others",
            First::Counts => "",
        };
        writeln!(f, "{passed} pass under {first}, failures{others}: {broken}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(cases: &[(&str, &str, [Option<Verdict>; 2])]) -> Table {
        let mut table = Table::new(&["base", "fault"], First::Excuses);
        for (suite, case, verdicts) in cases {
            for (column, verdict) in ["base", "fault"].iter().zip(verdicts) {
                if let Some(verdict) = verdict {
                    table.add(suite, column, case, verdict.clone());
                }
            }
        }
        table
    }

    fn ended(status: i32) -> Option<Verdict> {
        Some(Verdict::new(Some(status)))
    }

    fn hung() -> Option<Verdict> {
        Some(Verdict::new(None))
    }

    #[test]
    fn only_what_failed_before_is_excused() {
        let mut table = table(&[
            ("kunit", "list: add", [ended(0), ended(0)]),
            ("kunit", "list: del", [ended(0), None]),
            ("kunit", "dynamic_stack: lend", [None, ended(0)]),
            ("kunit", "dynamic_stack: fault", [None, ended(1)]),
            ("x86", "a", [ended(0), ended(0)]),
            ("x86", "b", [ended(1), ended(1)]),
            ("x86", "c", [ended(0), ended(139)]),
            ("x86", "d", [ended(SKIP), ended(1)]),
            ("x86", "e", [ended(0), hung()]),
            ("x86", "f", [ended(0), ended(SKIP)]),
            ("x86", "g", [hung(), None]),
        ]);
        assert_eq!((table.passed(), table.regressions()), (6, 6));
        assert!(!table.lost_a_guest());
        table.add_death("x86", "fault", "vm-x86-fault.log");
        assert!(table.lost_a_guest());
        assert_eq!(
            table.to_string(),
            include_str!("../../../tests/data/suites.txt")
        );
    }

    #[test]
    fn guest_that_dies_on_the_base_too_is_excused() {
        let mut table = table(&[]);
        for column in ["base", "fault"] {
            table.add_death("mm", column, "x.log");
        }
        assert!(!table.lost_a_guest());
        assert_eq!(table.regressions(), 0);
    }

    #[test]
    fn without_a_base_nothing_is_excused() {
        let mut table = Table::new(&["lend"], First::Counts);
        table.add("signal", "lend", "a", Verdict::Ok);
        table.add("signal", "lend", "b", Verdict::new(Some(1)));
        assert_eq!((table.passed(), table.regressions()), (1, 1));
        assert!(!table.lost_a_guest());
        table.add_death("signal", "lend", "x.log");
        assert!(table.lost_a_guest());
        let said = table.to_string();
        assert!(
            said.contains("FAIL signal: b, lend: exit status 1"),
            "{said}"
        );
        assert!(said.ends_with("1 pass under lend, failures: 2\n"), "{said}");
    }

    #[test]
    fn test_that_may_fail_can_pass_on_the_base() {
        let skipped = ktap::Verdict::Skipped("XFAIL uninit bytes: 80".to_string());
        let table = table(&[("kunit", "x", [ended(0), Some(Verdict::from(&skipped))])]);
        assert_eq!((table.passed(), table.regressions()), (1, 0));
    }

    #[test]
    fn name_that_comes_twice_counts_by_the_worse() {
        let table = table(&[
            ("kunit", "x", [ended(0), ended(1)]),
            ("kunit", "x", [ended(0), ended(0)]),
        ]);
        assert_eq!((table.passed(), table.regressions()), (1, 1));
    }
}
