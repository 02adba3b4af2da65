// SPDX-License-Identifier: GPL-2.0
//! The files `growth` and `summary` of the module dynamic_stack_stats.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail, ensure};

use crate::kv::Values;
use crate::section;

const HEADER: &str = "events pages symbol";
const LOST: &str = "- (lost)";

/// What one function did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Growth {
    pub events: u64,
    pub pages: u64,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Record {
    pub functions: BTreeMap<String, Growth>,
    /// Events that the kernel had no room to record.
    pub lost: u64,
    /// Threads that were there in the end, and the pages that they owned.
    pub threads: u64,
    pub owned_pages: u64,
}

impl Record {
    /// From what the guest printed.
    pub fn read(output: &[String]) -> Result<Self> {
        let sections = section::split(output);
        let find = |name: &str| {
            let found = section::find(&sections, name);
            found.with_context(|| format!("the guest printed no part {name:?}"))
        };
        let summary = find("summary")?.lines.iter().map(String::as_str);
        let summary = Values::parse(summary);
        let (functions, lost) = functions(&find("growth")?.lines)?;
        Ok(Self {
            functions,
            lost,
            threads: summary.number("threads")?,
            owned_pages: summary.number("owned_pages")?,
        })
    }
}

/// With the number of events that were lost.
fn functions(lines: &[String]) -> Result<(BTreeMap<String, Growth>, u64)> {
    let Some((header, rows)) = lines.split_first() else {
        bail!("the file growth is empty");
    };
    ensure!(header == HEADER, "expected {HEADER:?}, got {header:?}");
    let mut functions = BTreeMap::new();
    for row in rows {
        let expected = || format!("expected a row of {HEADER:?}, got {row:?}");
        let (events, rest) = row.split_once(' ').with_context(expected)?;
        let events = events.parse().with_context(expected)?;
        if rest == LOST {
            return Ok((functions, events));
        }
        let (pages, symbol) = rest.split_once(' ').with_context(expected)?;
        let pages = pages.parse().with_context(expected)?;
        functions.insert(symbol.to_string(), Growth { events, pages });
    }
    bail!("the file growth has no last row '... {LOST}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Record> {
        let text = format!(
            "@dynstack start summary\nthreads 66\nowned_pages 81\n\
             @dynstack start growth\n{text}"
        );
        let lines: Vec<_> = text.lines().map(str::to_string).collect();
        Record::read(&lines)
    }

    #[test]
    fn rows_and_last_row_are_read() {
        let record = parse(
            "events pages symbol\n7 9 stack_stress_call_at [stack_stress]\n\
             2 2 ovl_read_iter\n3 - (lost)\n",
        )
        .unwrap();
        assert_eq!(record.lost, 3);
        assert_eq!((record.threads, record.owned_pages), (66, 81));
        assert_eq!(record.functions.len(), 2);
        assert_eq!(
            record.functions["stack_stress_call_at [stack_stress]"],
            Growth {
                events: 7,
                pages: 9
            }
        );
    }

    #[test]
    fn other_text_is_explained() {
        let error = |text: &str| format!("{:#}", parse(text).unwrap_err());
        assert_eq!(error(""), "the file growth is empty");
        assert!(error("events symbol\n").contains("expected \"events pages symbol\""));
        assert!(error("events pages symbol\nmany 1 x\n").contains("got \"many 1 x\""));
        assert!(error("events pages symbol\n1 1 x\n").contains("no last row"));
    }
}
