// SPDX-License-Identifier: GPL-2.0
//! What belongs to which test: the guest prints markers around each test,
//! into its output and into the kernel log.

const START: &str = "@dynstack test ";
const END: &str = "@dynstack end ";

/// The lines from the start of a test up to the start of the next one.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// Empty for what came before the first test.
    pub test: String,
    pub lines: Vec<String>,
    /// Exit status of the test; none if it did not end.
    pub status: Option<i32>,
}

pub fn split(lines: &[String]) -> Vec<Section> {
    let mut sections = vec![Section::default()];
    for line in lines {
        if let Some(test) = after(line, START) {
            sections.push(Section {
                test: test.to_string(),
                ..Section::default()
            });
            continue;
        }
        let Some(current) = sections.last_mut() else {
            continue;
        };
        match after(line, END).and_then(|end| end.rsplit_once(' ')) {
            Some((test, status)) if test == current.test => current.status = status.parse().ok(),
            _ => current.lines.push(line.clone()),
        }
    }
    sections
}

/// A marker may follow the prefix of a kernel log line.
fn after<'a>(line: &'a str, marker: &str) -> Option<&'a str> {
    let start = line.find(marker)?;
    Some(&line[start + marker.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_to_the_test_that_runs() {
        let text = "booting\n[    7.1] @dynstack test storm\nok 1 fork\n\
                    @dynstack end storm 0\nlate line\n@dynstack test overflow.sh X\ncut";
        let lines: Vec<_> = text.lines().map(str::to_string).collect();
        let section = |test: &str, lines: &[&str], status| Section {
            test: test.to_string(),
            lines: lines.iter().map(ToString::to_string).collect(),
            status,
        };
        assert_eq!(
            split(&lines),
            [
                section("", &["booting"], None),
                section("storm", &["ok 1 fork", "late line"], Some(0)),
                section("overflow.sh X", &["cut"], None),
            ]
        );
    }
}
