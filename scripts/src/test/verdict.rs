// SPDX-License-Identifier: GPL-2.0
//! Whether a test passed: its KTAP, its exit status and the kernel log decide
//! together, and none of them can hide what another one says.

use std::fmt;

use crate::ktap::{self, Test, Verdict};
use crate::section::Section;

/// kselftest's exit status of a test that could not run.
pub const SKIP: i32 = 4;
/// What timeout(1) ends with, also after a KILL.
pub const TIMED_OUT: [i32; 2] = [124, 137];
/// How KUnit's suites of this feature begin.
const SUITES: &str = "dynamic_stack";

/// The result of one test under one method.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Result {
    pub cases: Vec<(String, Verdict)>,
    /// What is wrong besides failed cases; each one fails the test.
    pub problems: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub passed: usize,
    pub failed: usize,
    pub skipped: usize,
}

impl Result {
    /// `section` is the output of a test, `splats` what its kernel log shows.
    pub fn of_test(section: &Section, splats: &[&str]) -> Self {
        let mut result = Self::default();
        result.read(section.lines.iter().map(String::as_str), |_| true);
        match section.status {
            None => result.problem("did not end"),
            Some(status) if TIMED_OUT.contains(&status) => result.problem("timed out"),
            Some(SKIP) if result.cases.is_empty() => result.skip_all(section),
            Some(0 | SKIP) if result.cases.is_empty() => result.problem("no results"),
            Some(0 | SKIP) => {}
            Some(_) if result.counts().failed > 0 => {}
            Some(status) => result.problem(&format!("exit status {status}, but no failed case")),
        }
        result.splats(splats);
        result
    }

    /// `log` is what the kernel logged before the tests, with KUnit's results.
    pub fn of_boot(log: &[String], splats: &[&str]) -> Self {
        let mut result = Self::default();
        let lines = log.iter().map(|line| ktap::strip_log_prefix(line));
        result.read(lines, |test| test.name.starts_with(SUITES));
        if result.cases.is_empty() {
            result.problem("no KUnit suite dynamic_stack*: CONFIG_DYNAMIC_STACK_KUNIT_TEST=y?");
        }
        result.splats(splats);
        result
    }

    /// A test of one case that says nothing itself, but for what the kernel logged.
    pub fn passed(case: &str, splats: &[&str]) -> Self {
        let mut result = Self {
            cases: vec![(case.to_string(), Verdict::Ok)],
            problems: Vec::new(),
        };
        result.splats(splats);
        result
    }

    /// A test that should have run and did not.
    pub fn missing(why: &str) -> Self {
        Self {
            cases: Vec::new(),
            problems: vec![why.to_string()],
        }
    }

    pub fn counts(&self) -> Counts {
        let mut counts = Counts {
            failed: self.problems.len(),
            ..Counts::default()
        };
        for (_, verdict) in &self.cases {
            match verdict {
                Verdict::Ok => counts.passed += 1,
                Verdict::Failed(_) => counts.failed += 1,
                Verdict::Skipped(_) => counts.skipped += 1,
            }
        }
        counts
    }

    fn read<'a>(&mut self, lines: impl Iterator<Item = &'a str>, wanted: fn(&Test) -> bool) {
        match ktap::parse(lines) {
            Ok(tests) => {
                for test in tests.iter().filter(|test| wanted(test)) {
                    let leaves = test.leaves().into_iter();
                    self.cases
                        .extend(leaves.map(|(name, verdict)| (name, verdict.clone())));
                }
            }
            Err(error) => self.problem(&error.to_string()),
        }
    }

    fn skip_all(&mut self, section: &Section) {
        let mut reasons = section.lines.iter();
        let reason = reasons.find_map(|line| line.strip_prefix("1..0 # SKIP "));
        let reason = reason.unwrap_or("no reason given").to_string();
        self.cases
            .push(("all".to_string(), Verdict::Skipped(reason)));
    }

    fn splats(&mut self, lines: &[&str]) {
        for line in lines {
            self.problem(&format!("kernel log: {line}"));
        }
    }

    fn problem(&mut self, what: &str) {
        self.problems.push(what.to_string());
    }
}

impl Counts {
    /// Of a run that cannot be.
    pub const SKIPPED: Self = Self {
        passed: 0,
        failed: 0,
        skipped: 1,
    };

    /// As short as a cell of a table; empty if nothing was counted.
    pub fn cell(&self) -> String {
        let parts = [
            (self.failed, "FAIL"),
            (self.passed, "ok"),
            (self.skipped, "skip"),
        ];
        let parts = parts.iter().filter(|(count, _)| *count > 0);
        let parts: Vec<_> = parts
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        parts.join(", ")
    }
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            passed,
            failed,
            skipped,
        } = self;
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(lines: &str, status: Option<i32>, splats: &[&str]) -> Result {
        let section = Section {
            name: "storm".to_string(),
            lines: lines.lines().map(str::to_string).collect(),
            status,
        };
        Result::of_test(&section, splats)
    }

    fn problems(lines: &str, status: Option<i32>, splats: &[&str]) -> Vec<String> {
        result(lines, status, splats).problems
    }

    #[test]
    fn splats_fail_a_test_whose_cases_pass() {
        let result = result("1..1\nok 1 a", Some(0), &["BUG: x"]);
        assert_eq!(result.problems, ["kernel log: BUG: x"]);
        assert_eq!(result.counts().to_string(), "1 passed, 1 failed, 0 skipped");
    }

    #[test]
    fn exit_status_and_results_must_agree() {
        assert_eq!(problems("1..1\nok 1 a", Some(0), &[]), [""; 0]);
        assert_eq!(problems("1..1\nnot ok 1 a", Some(1), &[]), [""; 0]);
        assert_eq!(
            problems("1..1\nok 1 a", Some(139), &[]),
            ["exit status 139, but no failed case"]
        );
        assert_eq!(problems("hello", Some(0), &[]), ["no results"]);
        assert_eq!(problems("1..1\nok 1 a", Some(124), &[]), ["timed out"]);
        assert_eq!(
            problems("1..2\nok 1 a", None, &[]),
            ["2 results expected, 1 seen", "did not end"]
        );
    }

    #[test]
    fn skipped_as_a_whole_keeps_the_reason() {
        let result = result("TAP version 13\n1..0 # SKIP needs root", Some(4), &[]);
        assert_eq!(
            result.cases,
            [("all".to_string(), Verdict::Skipped("needs root".into()))]
        );
        assert_eq!(result.counts().to_string(), "0 passed, 0 failed, 1 skipped");
    }

    #[test]
    fn boot_log_counts_only_own_suites() {
        let log = include_str!("../../tests/data/kunit.log");
        let log: Vec<_> = log.lines().map(str::to_string).collect();
        let counts = Result::of_boot(&log, &[]).counts();
        assert_eq!(counts.to_string(), "3 passed, 1 failed, 0 skipped");
        let none = Result::of_boot(&[], &[]);
        assert!(none.problems[0].contains("CONFIG_DYNAMIC_STACK_KUNIT_TEST"));
    }
}
