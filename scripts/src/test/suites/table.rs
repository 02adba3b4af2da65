// SPDX-License-Identifier: GPL-2.0
//! Tests of the kernel, each under each method, and which of them a method breaks.

use std::fmt;

use crate::report;
use crate::test::verdict::{SKIP, TIMED_OUT};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Ok,
    Skipped,
    Failed(String),
}

pub struct Table {
    /// The first one is what the others are compared with.
    methods: Vec<&'static str>,
    rows: Vec<(String, Vec<Verdict>)>,
}

impl Verdict {
    /// `status` is that of the program, if it ended; `splats` what its log shows.
    pub fn new(status: Option<i32>, splats: &[&str]) -> Self {
        if let Some(line) = splats.first() {
            return Self::Failed(format!("kernel log: {line}"));
        }
        match status {
            Some(0) => Self::Ok,
            Some(SKIP) => Self::Skipped,
            Some(status) if TIMED_OUT.contains(&status) => Self::Failed("timed out".to_string()),
            Some(status) => Self::Failed(format!("exit status {status}")),
            None => Self::Failed("did not end".to_string()),
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skipped => "skip",
            Self::Failed(_) => "FAIL",
        }
    }
}

impl Table {
    pub fn new(methods: &[&'static str]) -> Self {
        Self {
            methods: methods.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Methods come in their order.
    pub fn add(&mut self, test: &str, verdict: Verdict) {
        match self.rows.iter_mut().find(|(name, _)| name == test) {
            Some((_, verdicts)) => verdicts.push(verdict),
            None => self.rows.push((test.to_string(), vec![verdict])),
        }
    }

    /// What passes under the first method, and does not under another one.
    fn broken(&self) -> impl Iterator<Item = (&str, &'static str, &Verdict)> {
        let passing = self
            .rows
            .iter()
            .filter(|row| row.1.first() == Some(&Verdict::Ok));
        passing.flat_map(|(test, verdicts)| {
            let all = self.methods.iter().zip(verdicts);
            all.filter(|(_, verdict)| **verdict != Verdict::Ok)
                .map(|(method, verdict)| (test.as_str(), *method, verdict))
        })
    }

    pub fn regressions(&self) -> usize {
        self.broken().count()
    }

    /// Under the first method.
    pub fn passed(&self) -> usize {
        let firsts = self.rows.iter().map(|(_, verdicts)| verdicts.first());
        firsts
            .filter(|verdict| *verdict == Some(&Verdict::Ok))
            .count()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods = self.methods.iter().copied();
        let header: Vec<_> = ["test"].into_iter().chain(methods).collect();
        let mut table = report::table(&header);
        for (test, verdicts) in &self.rows {
            let cells = verdicts.iter().map(|verdict| verdict.word().to_string());
            table.add_row([test.clone()].into_iter().chain(cells));
        }
        writeln!(f, "{table}")?;
        let base = self.methods.first().copied().unwrap_or_default();
        for (test, verdicts) in &self.rows {
            if let Some(Verdict::Failed(why)) = verdicts.first() {
                writeln!(f, "fails under {base} already: {test}: {why}")?;
            }
        }
        for (test, method, verdict) in self.broken() {
            match verdict {
                Verdict::Failed(why) => writeln!(f, "FAIL {test}, {method}: {why}")?,
                verdict => writeln!(f, "FAIL {test}, {method}: {}", verdict.word())?,
            }
        }
        let (passed, broken) = (self.passed(), self.regressions());
        writeln!(
            f,
            "{passed} pass under {base}, of these fail elsewhere: {broken}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[(&str, [Option<i32>; 2])]) -> Table {
        let mut table = Table::new(&["off", "fault"]);
        for column in 0..2 {
            for (test, statuses) in rows {
                table.add(test, Verdict::new(statuses[column], &[]));
            }
        }
        table
    }

    #[test]
    fn only_what_passed_before_can_break() {
        let table = table(&[
            ("x86/a", [Some(0), Some(0)]),
            ("x86/b", [Some(1), Some(1)]),
            ("x86/c", [Some(0), Some(139)]),
            ("x86/d", [Some(SKIP), Some(SKIP)]),
            ("x86/e", [Some(0), None]),
        ]);
        assert_eq!((table.passed(), table.regressions()), (3, 2));
        assert_eq!(
            table.to_string(),
            include_str!("../../../tests/data/suites.txt")
        );
    }

    #[test]
    fn test_that_is_skipped_elsewhere_is_lost() {
        assert_eq!(table(&[("a", [Some(0), Some(SKIP)])]).regressions(), 1);
    }

    #[test]
    fn log_counts_whatever_the_status() {
        let verdict = Verdict::new(Some(0), &["BUG: x", "Oops"]);
        assert_eq!(verdict, Verdict::Failed("kernel log: BUG: x".to_string()));
    }
}
