// SPDX-License-Identifier: GPL-2.0
//! Kernel log lines that fail a test, as a file of patterns defines them.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

use crate::context::Context;

/// For an `allow` line: in the log of any test.
const ANY: &str = "*";

#[derive(Debug)]
pub struct Splats {
    patterns: Vec<String>,
    allowed: Vec<Allowed>,
}

#[derive(Debug)]
struct Allowed {
    test: String,
    text: String,
}

impl Splats {
    /// The patterns of this project.
    pub fn of(ctx: &Context) -> Result<Self> {
        Self::read(&ctx.root.join("scripts/data/splats.txt"))
    }

    /// A missing or empty file is an error: without patterns nothing would fail.
    fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read the splat patterns {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("in {}", path.display()))
    }

    pub fn parse(text: &str) -> Result<Self> {
        let mut splats = Self {
            patterns: Vec::new(),
            allowed: Vec::new(),
        };
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            splats
                .add(line)
                .with_context(|| format!("line {}: {line:?}", index + 1))?;
        }
        ensure!(!splats.patterns.is_empty(), "no splat line");
        Ok(splats)
    }

    fn add(&mut self, line: &str) -> Result<()> {
        if let Some(text) = line.strip_prefix("splat ") {
            self.patterns.push(text.trim().to_string());
        } else if let Some(rest) = line.strip_prefix("allow ") {
            let (test, rest) = rest.split_once(' ').context("expected a test and a text")?;
            let (text, reason) = rest.split_once(" # ").context("expected # and a reason")?;
            ensure!(!reason.trim().is_empty(), "the reason is empty");
            self.allowed.push(Allowed {
                test: test.to_string(),
                text: text.trim().to_string(),
            });
        } else {
            bail!("expected \"splat TEXT\" or \"allow TEST TEXT # REASON\"");
        }
        Ok(())
    }

    /// The lines of the log of `test` that must not be there.
    pub fn find<'a>(&self, test: &str, log: &'a [String]) -> Vec<&'a str> {
        let lines = log.iter().map(String::as_str);
        lines
            .filter(|line| self.patterns.iter().any(|text| line.contains(text)))
            .filter(|line| !self.allowed.iter().any(|entry| entry.covers(test, line)))
            .collect()
    }
}

impl Allowed {
    fn covers(&self, test: &str, line: &str) -> bool {
        (self.test == ANY || self.test == test) && line.contains(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> Vec<String> {
        let text = include_str!("../tests/data/splat.log");
        text.lines().map(str::to_string).collect()
    }

    #[test]
    fn shipped_patterns_find_the_splats_of_a_log() {
        let splats = Splats::parse(include_str!("../data/splats.txt")).unwrap();
        let log = log();
        let found = splats.find("storm", &log);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("WARNING: kernel/fork.c:214"));
        assert!(found[1].contains("BUG: sleeping function"));
    }

    #[test]
    fn allowed_only_in_the_named_test() {
        let text = "splat WARNING:\nallow overflow WARNING: kernel # it provokes one\n";
        let splats = Splats::parse(text).unwrap();
        assert_eq!(splats.find("overflow", &log()).len(), 0);
        assert_eq!(splats.find("storm", &log()).len(), 1);
    }

    #[test]
    fn mistakes_are_named() {
        let error = |text| format!("{:#}", Splats::parse(text).unwrap_err());
        assert!(error("splat x\nallow * WARNING:\n").contains("line 2"));
        assert!(error("splat x\nallow * WARNING:\n").contains("a reason"));
        assert!(error("spalt x\n").contains("expected \"splat TEXT\""));
        assert_eq!(error("# nothing\n"), "no splat line");
    }

    #[test]
    fn missing_file_is_an_error() {
        assert!(Splats::read(Path::new("/nonexistent/splats.txt")).is_err());
    }
}
