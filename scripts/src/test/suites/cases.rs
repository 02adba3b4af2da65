// SPDX-License-Identifier: GPL-2.0
//! What a guest says of each test of a suite.

use super::catalog::{Kind, Suite};
use super::table::Verdict;
use crate::ktap;
use crate::section::{self, Section};
use crate::splat::Splats;
use crate::test::judge::STEPS;
use crate::test::verdict::Result as TestResult;

/// Of this length, hexadecimal digits are an address.
const ADDRESS_DIGITS: usize = 8;

const IN_THE_LOG: &str = "in the kernel log";

type Case = (String, Verdict);

/// The results of `suite`, of which `tests` were to run, by name: from what they
/// printed and from the kernel log.
pub fn read(
    suite: &Suite,
    tests: &[String],
    output: &[String],
    console: &[String],
    splats: &Splats,
) -> Vec<Case> {
    let output = section::split(output);
    let console = section::split(console);
    let boot = section::lines(&console, "");
    let mut cases = Vec::new();
    if suite.kind == Kind::Boot {
        cases.extend(kunit(boot));
    }
    // Each by itself: some tests of KUnit provoke splats, under any method.
    for line in splats.find(&suite.name, boot) {
        cases.push(failure("boot", line, IN_THE_LOG));
    }
    // The base has no modules that could be loaded.
    for step in STEPS {
        let section = section::find(&output, step);
        let found = splats.find(step, section::lines(&console, step));
        let cases_of_step = section.map(|section| script(Some(section), &found));
        let failed = |(_, verdict): &Case| *verdict != Verdict::Ok;
        cases.extend(cases_of_step.into_iter().flatten().filter(failed));
    }
    for test in tests {
        let section = section::find(&output, test);
        let found = splats.find(test, section::lines(&console, test));
        match suite.kind {
            Kind::Script { .. } => cases.extend(script(section, &found)),
            _ => {
                let (_, name) = test.rsplit_once('/').unwrap_or(("", test));
                cases.extend(program(name, section, &found));
            }
        }
    }
    cases
}

/// Many print no KTAP: the exit status decides. It excuses nothing else that is wrong:
/// what the log shows is a case, and so is each part that is told, in KTAP or as those of
/// x86 tell what fails.
fn program(name: &str, section: Option<&Section>, splats: &[&str]) -> Vec<Case> {
    let status = Verdict::new(section.and_then(|section| section.status));
    let mut cases = vec![(name.to_string(), status)];
    for line in splats {
        cases.push(failure(name, line, IN_THE_LOG));
    }
    let lines = section.iter().flat_map(|section| &section.lines);
    let failures = lines.clone().filter(|line| line.starts_with("[FAIL]"));
    for line in failures {
        cases.push(failure(name, line, "said by the test"));
    }
    let parts = ktap::parse(lines.map(String::as_str)).unwrap_or_default();
    for (part, verdict) in parts.iter().flat_map(ktap::Test::leaves) {
        let name = format!("{name}: {}", without_numbers(&part));
        cases.push((name, Verdict::from(verdict)));
    }
    cases
}

/// A line of `what` that says by itself that something is wrong.
fn failure(what: &str, line: &str, why: &str) -> Case {
    let name = format!("{what}: {}", without_numbers(line));
    (name, Verdict::Failed(why.to_string()))
}

/// Of a script that prints KTAP, which is about its parts.
fn script(section: Option<&Section>, splats: &[&str]) -> Vec<Case> {
    let result = match section {
        Some(section) => TestResult::of_test(section, splats),
        None => TestResult::missing("did not run"),
    };
    let cases = result.cases.into_iter();
    let cases = cases.map(|(name, verdict)| (name, Verdict::from(&verdict)));
    let problems = result.problems.into_iter();
    let problems = problems.map(|what| ("the script".to_string(), Verdict::Failed(what)));
    cases.chain(problems).collect()
}

/// Each test of KUnit that ran at boot. A suite whose results are not complete is no
/// reason to lose those of the others.
fn kunit(log: &[String]) -> Vec<Case> {
    let lines = log.iter().map(|line| ktap::strip_log_prefix(line));
    // The plan of the whole: which suites have to be there, the base says.
    let lines: Vec<_> = lines.filter(|line| !line.starts_with("1..")).collect();
    let ends_suite = |line: &&str| line.starts_with("ok ") || line.starts_with("not ok ");
    let mut cases = Vec::new();
    for suite in lines.split_inclusive(ends_suite) {
        let Some(end) = suite.last().filter(|line| ends_suite(line)) else {
            continue;
        };
        match ktap::parse(suite.iter().copied()) {
            Ok(tests) => {
                let leaves = tests.iter().flat_map(ktap::Test::leaves);
                cases.extend(leaves.map(|(name, verdict)| (name, Verdict::from(verdict))));
            }
            Err(error) => {
                let name = end.split_whitespace().skip_while(|word| !is_number(word));
                let name = name.skip(1).collect::<Vec<_>>().join(" ");
                cases.push((name, Verdict::Failed(error.to_string())));
            }
        }
    }
    if cases.is_empty() {
        let why = "no results in the kernel log: CONFIG_KUNIT=y?".to_string();
        cases.push(("results".to_string(), Verdict::Failed(why)));
    }
    cases
}

fn is_number(word: &str) -> bool {
    word.parse::<usize>().is_ok()
}

/// A line of the kernel log as another boot would print it: without time stamp,
/// with # for each number and address.
fn without_numbers(line: &str) -> String {
    let mut text = String::new();
    let mut word = String::new();
    for c in ktap::strip_log_prefix(line).chars().chain(['\n']) {
        if c.is_ascii_alphanumeric() || c == '_' {
            word.push(c);
            continue;
        }
        let address = word.len() >= ADDRESS_DIGITS && word.chars().all(|c| c.is_ascii_hexdigit());
        match address || word.starts_with(|c: char| c.is_ascii_digit()) {
            true => text.push('#'),
            false => text.push_str(&word),
        }
        word.clear();
        text.push(c);
    }
    text.trim_end().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::suites::catalog;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_string).collect()
    }

    fn failed(why: &str) -> Verdict {
        Verdict::Failed(why.to_string())
    }

    fn cases(list: &[(&str, Verdict)]) -> Vec<Case> {
        let list = list.iter().cloned();
        list.map(|(name, verdict)| (name.to_string(), verdict))
            .collect()
    }

    #[test]
    fn each_test_of_kunit_counts_even_beside_a_broken_suite() {
        let log = lines(
            "[ 1.0] KTAP version 1\n[ 1.0] 1..3\n\
             [ 1.1]     KTAP version 1\n[ 1.1]     # Subtest: list\n[ 1.1]     1..2\n\
             [ 1.1]     ok 1 add\n[ 1.2]     not ok 2 del\n[ 1.2] not ok 1 list\n\
             [ 1.2]     1..3\n[ 1.3]     ok 1 a\n[ 1.3] not ok 2 cut short\n\
             [ 1.3]     1..1\n[ 1.4]     ok 1 x # SKIP no CPU\n[ 1.4] ok 3 late # SKIP\n\
             [ 1.5]     ok 1 unfinished",
        );
        assert_eq!(
            kunit(&log),
            cases(&[
                ("list: add", Verdict::Ok),
                ("list: del", failed("failed")),
                ("cut short", failed("3 results expected, 1 seen")),
                ("late: x", Verdict::Skipped),
            ])
        );
        assert_eq!(kunit(&lines("[ 1.0] hello"))[0].0, "results");
    }

    #[test]
    fn parts_of_a_script_count_and_its_end() {
        let section = Section {
            name: "vmalloc/vmalloc.sh".to_string(),
            lines: lines("1..2\nok 1 fix_size\nok 2 vrealloc"),
            status: Some(124),
        };
        assert_eq!(
            script(Some(&section), &["BUG: x"])[1..],
            cases(&[
                ("vrealloc", Verdict::Ok),
                ("the script", failed("timed out")),
                ("the script", failed("kernel log: BUG: x")),
            ])
        );
        let missing = script(None, &[]);
        assert_eq!(missing, cases(&[("the script", failed("did not run"))]));
    }

    #[test]
    fn splats_of_two_boots_have_the_same_name() {
        let first = "[  1.5] WARNING: lib/x.c:12 at f+0x1a/0x30, CPU#1: kunit_try_catch/123";
        let second = "[ 21.25][ T9] WARNING: lib/x.c:14 at f+0x1c/0x30, CPU#0: kunit_try_catch/9";
        let name = "WARNING: lib/x.c:# at f+#/#, CPU##: kunit_try_catch/#";
        assert_eq!(without_numbers(first), name);
        assert_eq!(without_numbers(second), name);
        let fault = "BUG: unable to handle page fault for address: ffff8881044a5000";
        assert!(without_numbers(fault).ends_with("for address: #"));
    }

    #[test]
    fn status_and_log_and_parts_of_programs_are_cases_and_so_is_the_log_of_the_boot() {
        let suites = catalog::select(&["x86".to_string()], |_| true).unwrap();
        let tests = ["x86/a", "x86/b", "x86/c"].map(str::to_string);
        let console = lines("[ 0.1] BUG: z 5\n[ 2.0] @dynstack start x86/a\n[ 2.1] Oops: 1");
        let output = lines(
            "@dynstack start load\n1..1\nnot ok 1 load\n@dynstack end load 0\n\
             @dynstack start x86/a\nTAP version 13\n1..2\nok 1 trap 0x80\nnot ok 2 nmi\n\
             [OK] reg 1\n[FAIL] reg 2\n\
             @dynstack end x86/a 1\n@dynstack start x86/b\n@dynstack end x86/b 4\n\
             @dynstack start unload\n1..1\nok 1 unload\n@dynstack end unload 0",
        );
        let shipped = include_str!("../../../data/splats.txt");
        let splats = Splats::parse(shipped).unwrap();
        assert_eq!(
            read(&suites[0], &tests, &output, &console, &splats),
            cases(&[
                ("boot: BUG: z #", failed("in the kernel log")),
                ("load", failed("failed")),
                ("a", failed("exit status 1")),
                ("a: Oops: #", failed("in the kernel log")),
                ("a: [FAIL] reg #", failed("said by the test")),
                ("a: trap #", Verdict::Ok),
                ("a: nmi", failed("failed")),
                ("b", Verdict::Skipped),
                ("c", failed("did not end")),
            ])
        );
    }
}
