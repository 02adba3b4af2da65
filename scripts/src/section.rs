// SPDX-License-Identifier: GPL-2.0
//! What belongs to which part of a script: the guest prints markers around
//! each, into its output and where it matters into the kernel log.

const START: &str = "@dynstack start ";
const END: &str = "@dynstack end ";

/// The lines from the start of a part up to the start of the next one.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// Empty for what came before the first part.
    pub name: String,
    pub lines: Vec<String>,
    /// Exit status of the part; none if it did not end, or has none.
    pub status: Option<i32>,
}

pub fn split(lines: &[String]) -> Vec<Section> {
    let mut sections = vec![Section::default()];
    for line in lines {
        if let Some(name) = after(line, START) {
            sections.push(Section {
                name: name.to_string(),
                ..Section::default()
            });
            continue;
        }
        let Some(current) = sections.last_mut() else {
            continue;
        };
        match after(line, END).and_then(|end| end.rsplit_once(' ')) {
            Some((name, status)) if name == current.name => current.status = status.parse().ok(),
            _ => current.lines.push(line.clone()),
        }
    }
    sections
}

/// The part called `name`, if it began.
pub fn find<'a>(sections: &'a [Section], name: &str) -> Option<&'a Section> {
    sections.iter().find(|section| section.name == name)
}

/// The lines of the part called `name`; none if it did not begin.
pub fn lines<'a>(sections: &'a [Section], name: &str) -> &'a [String] {
    find(sections, name).map_or(&[], |section| &section.lines)
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
    fn lines_go_to_the_part_that_runs() {
        let text = "booting\n[    7.1] @dynstack start storm\nok 1 fork\n\
                    @dynstack end storm 0\nlate line\n@dynstack start overflow.sh X\ncut";
        let lines: Vec<_> = text.lines().map(str::to_string).collect();
        let section = |name: &str, lines: &[&str], status| Section {
            name: name.to_string(),
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
