// SPDX-License-Identifier: GPL-2.0
//! Reads KTAP: the results of kselftests and of KUnit, nested subtests
//! included, from a stream in which other lines may stand between them.

use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Ok,
    /// With what the test said before its result; empty if it said nothing.
    Failed(String),
    Skipped(String),
}

impl Verdict {
    pub fn is_failed(&self) -> bool {
        matches!(self, Self::Failed(_))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    pub name: String,
    pub verdict: Verdict,
    pub subtests: Vec<Test>,
}

/// Where the text breaks the format; such a run must not count as passed.
#[derive(Debug, PartialEq, Eq)]
pub enum Error {
    /// "1..planned" was announced at this depth, but fewer or more results came.
    Plan { planned: usize, seen: usize },
    /// Results with no result line of the test that they belong to.
    Unfinished { seen: usize },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plan { planned, seen } => write!(f, "{planned} results expected, {seen} seen"),
            Self::Unfinished { seen } => write!(f, "{seen} subtests without a result of the whole"),
        }
    }
}

impl std::error::Error for Error {}

/// One level of nesting that is still open.
#[derive(Default)]
struct Level {
    indent: usize,
    planned: Option<usize>,
    tests: Vec<Test>,
}

impl Level {
    fn check(&self) -> Result<(), Error> {
        let seen = self.tests.len();
        match self.planned {
            Some(planned) if planned != seen => Err(Error::Plan { planned, seen }),
            _ => Ok(()),
        }
    }
}

/// Returns the tests of the outermost level.
pub fn parse<'a>(lines: impl IntoIterator<Item = &'a str>) -> Result<Vec<Test>, Error> {
    let mut levels = vec![Level::default()];
    let mut said = Vec::new();
    for line in lines {
        let text = line.trim_start();
        let indent = line.len() - text.len();
        if let Some(planned) = plan(text) {
            said.clear();
            level_at(&mut levels, indent).planned = Some(planned);
        } else if let Some(mut test) = result(text) {
            if let Some(inner) = levels.pop_if(|level| level.indent > indent) {
                inner.check()?;
                test.subtests = inner.tests;
            }
            finished_above(&levels, indent)?;
            if let Verdict::Failed(why) = &mut test.verdict {
                *why = said.join("; ");
            }
            said.clear();
            level_at(&mut levels, indent).tests.push(test);
        } else if let Some(what) = diagnostic(text) {
            said.push(what);
        }
    }
    let outer = levels.remove(0);
    finished_above(&levels, outer.indent)?;
    outer.check()?;
    Ok(outer.tests)
}

/// Deeper levels than this must have been closed by the result of their test.
fn finished_above(levels: &[Level], indent: usize) -> Result<(), Error> {
    match levels.last() {
        Some(inner) if inner.indent > indent => {
            let seen = inner.tests.len();
            Err(Error::Unfinished { seen })
        }
        _ => Ok(()),
    }
}

/// The open level of this indentation; opened now if lines go deeper.
fn level_at(levels: &mut Vec<Level>, indent: usize) -> &mut Level {
    if levels.last().is_none_or(|last| last.indent < indent) {
        levels.push(Level {
            indent,
            ..Level::default()
        });
    }
    let last = levels.len() - 1;
    &mut levels[last]
}

/// "1..N"; with a reason to skip all, N is 0.
fn plan(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("1..")?;
    rest.split_whitespace().next()?.parse().ok()
}

/// "# what"; the harness indents what is only decoration.
fn diagnostic(text: &str) -> Option<&str> {
    let what = text.strip_prefix("# ")?;
    (!what.starts_with(' ')).then_some(what)
}

/// "ok N name", "not ok N - name # SKIP reason".
fn result(text: &str) -> Option<Test> {
    let (passed, rest) = match text.strip_prefix("not ok ") {
        Some(rest) => (false, rest),
        None => (true, text.strip_prefix("ok ")?),
    };
    let (number, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    number.parse::<usize>().ok()?;
    let (name, directive) = rest.split_once("# ").unwrap_or((rest, ""));
    let (word, reason) = directive.split_once(' ').unwrap_or((directive, ""));
    let verdict = match word {
        "SKIP" => Verdict::Skipped(reason.trim().to_string()),
        "XFAIL" => Verdict::Skipped(directive.trim().to_string()),
        _ if passed => Verdict::Ok,
        _ => Verdict::Failed(String::new()),
    };
    // kselftest.h may put the name behind the directive.
    let name = match name.trim() {
        "" => reason.trim(),
        name => name.strip_prefix("- ").unwrap_or(name),
    };
    Some(Test {
        name: name.to_string(),
        verdict,
        subtests: Vec::new(),
    })
}

impl Test {
    /// The results that stand for themselves: tests without subtests, and
    /// tests that failed although all of their subtests passed.
    pub fn leaves(&self) -> Vec<(String, &Verdict)> {
        let mut leaves = Vec::new();
        for test in &self.subtests {
            for (name, verdict) in test.leaves() {
                leaves.push((format!("{}: {name}", self.name), verdict));
            }
        }
        let explained = leaves.iter().any(|(_, verdict)| verdict.is_failed());
        if leaves.is_empty() || (self.verdict.is_failed() && !explained) {
            leaves.push((self.name.clone(), &self.verdict));
        }
        leaves
    }
}

/// A line of the kernel log without level, time stamp and caller.
pub fn strip_log_prefix(line: &str) -> &str {
    let mut rest = line;
    if let Some((level, text)) = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'))
        && level.parse::<u8>().is_ok()
    {
        rest = text;
    }
    while let Some((stamp, text)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let stamp = stamp.trim_start().trim_start_matches(['T', 'C']);
        if stamp.parse::<f64>().is_err() {
            break;
        }
        // Exactly one space belongs to the prefix; more are KTAP's indentation.
        rest = text.strip_prefix(' ').unwrap_or(text);
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Test>, Error> {
        parse(text.lines().map(strip_log_prefix))
    }

    fn leaves(tests: &[Test]) -> Vec<(String, Verdict)> {
        let leaves = tests.iter().flat_map(Test::leaves);
        leaves
            .map(|(name, verdict)| (name, verdict.clone()))
            .collect()
    }

    #[test]
    fn kselftest_with_failure_and_skip() {
        let tests = read(include_str!("../tests/data/kselftest.log")).unwrap();
        assert_eq!(
            leaves(&tests),
            [
                ("one_page.new_thread".to_string(), Verdict::Ok),
                (
                    "one_page.kept_page".to_string(),
                    Verdict::Failed(
                        "one_page.c:71:kept_page:Expected 2 (2) == owned_pages() (1); \
                         kept_page: Test failed"
                            .into()
                    )
                ),
                (
                    "hotplug".to_string(),
                    Verdict::Skipped(
                        "CPU 1 cannot go offline, CONFIG_HOTPLUG_CPU is not set".into()
                    )
                ),
                (
                    "known".to_string(),
                    Verdict::Skipped("XFAIL needs hardware".into())
                ),
                (
                    "ptrace is not there".to_string(),
                    Verdict::Skipped("ptrace is not there".into())
                ),
            ]
        );
    }

    #[test]
    fn kunit_boot_log_nests() {
        let tests = read(include_str!("../tests/data/kunit.log")).unwrap();
        let names: Vec<_> = tests.iter().map(|test| test.name.as_str()).collect();
        assert_eq!(
            names,
            ["kasan", "dynamic_stack_stock", "dynamic_stack_lend"]
        );
        assert_eq!(
            leaves(&tests[1..]),
            [
                ("dynamic_stack_stock: refill".to_string(), Verdict::Ok),
                (
                    "dynamic_stack_stock: sizes: 4 slots".to_string(),
                    Verdict::Ok
                ),
                (
                    "dynamic_stack_stock: sizes: 8 slots".to_string(),
                    Verdict::Ok
                ),
                (
                    "dynamic_stack_lend: cmpxchg_lost".to_string(),
                    Verdict::Failed(
                        "cmpxchg_lost: EXPECTATION FAILED at mm/dynamic_stack_kunit.c:88".into()
                    )
                ),
            ]
        );
    }

    #[test]
    fn missing_results_are_an_error() {
        let missing = Error::Plan {
            planned: 3,
            seen: 1,
        };
        assert_eq!(read("TAP version 13\n1..3\nok 1 a\n"), Err(missing));
        assert_eq!(
            read("KTAP version 1\n1..1\n    1..2\n    ok 1 a\n    ok 2 b\n"),
            Err(Error::Unfinished { seen: 2 })
        );
        assert_eq!(
            read("    1..1\n        ok 1 a\nok 1 suite\n"),
            Err(Error::Unfinished { seen: 0 })
        );
        assert_eq!(
            read("1..1\n    1..2\n    ok 1 a\nok 1 suite\n"),
            Err(Error::Plan {
                planned: 2,
                seen: 1
            })
        );
    }

    #[test]
    fn failure_of_a_whole_counts_if_no_part_failed() {
        let tests = read("    ok 1 part\nnot ok 1 whole\n").unwrap();
        assert_eq!(
            leaves(&tests),
            [
                ("whole: part".to_string(), Verdict::Ok),
                ("whole".to_string(), Verdict::Failed(String::new())),
            ]
        );
    }

    #[test]
    fn log_prefixes() {
        assert_eq!(strip_log_prefix("<6>[    1.5]     ok 1 a"), "    ok 1 a");
        assert_eq!(strip_log_prefix("[    1.5][   T77] ok 1 a"), "ok 1 a");
        assert_eq!(strip_log_prefix("    ok 1 a"), "    ok 1 a");
        assert_eq!(strip_log_prefix("[drm] ok 1 a"), "[drm] ok 1 a");
    }
}
