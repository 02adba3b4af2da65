// SPDX-License-Identifier: GPL-2.0
//! The results of all tests under all methods, as one table.

use std::fmt;

use super::judge;
use super::verdict::{Counts, Result};
use crate::ktap::Verdict;
use crate::report;

#[derive(Default)]
pub struct Matrix {
    methods: Vec<String>,
    rows: Vec<Row>,
}

struct Row {
    test: String,
    /// With the method of each; a test need not run under all.
    results: Vec<(String, Result)>,
}

impl Matrix {
    pub fn add(&mut self, test: &str, method: &str, result: Result) {
        if !self.methods.iter().any(|known| known == method) {
            self.methods.push(method.to_string());
        }
        let known = self.rows.iter().position(|row| row.test == test);
        let index = known.unwrap_or_else(|| {
            self.rows.push(Row {
                test: test.to_string(),
                results: Vec::new(),
            });
            self.rows.len() - 1
        });
        self.rows[index].results.push((method.to_string(), result));
    }

    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for (_, result) in self.rows.iter().flat_map(|row| &row.results) {
            counts += result.counts();
        }
        counts
    }

    /// What passed, but for what is part of every run.
    pub fn passed(&self) -> usize {
        let asked = self.rows.iter();
        let asked = asked.filter(|row| !judge::is_in_every_run(&row.test));
        let results = asked.flat_map(|row| &row.results);
        results.map(|(_, result)| result.counts().passed).sum()
    }
}

impl Row {
    fn cell(&self, method: &str) -> String {
        let found = self.results.iter().find(|(name, _)| name == method);
        let Some((_, result)) = found else {
            return "-".to_string();
        };
        result.counts().cell()
    }

    fn explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (method, result) in &self.results {
            let place = format!("{}, {method}", self.test);
            for problem in &result.problems {
                writeln!(f, "FAIL {place}: {problem}")?;
            }
            for (case, verdict) in &result.cases {
                let (word, why) = match verdict {
                    Verdict::Ok => continue,
                    Verdict::Failed(why) => ("FAIL", why),
                    Verdict::Skipped(why) => ("skip", why),
                };
                let colon = if why.is_empty() { "" } else { ": " };
                writeln!(f, "{word} {place}: {case}{colon}{why}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods = self.methods.iter().map(String::as_str);
        let header: Vec<_> = ["test"].into_iter().chain(methods).collect();
        let mut table = report::table(&header);
        for row in &self.rows {
            let cells = self.methods.iter().map(|method| row.cell(method));
            table.add_row([row.test.clone()].into_iter().chain(cells));
        }
        writeln!(f, "{table}")?;
        for row in &self.rows {
            row.explain(f)?;
        }
        writeln!(f, "{}", self.counts())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_explanations_and_sum() {
        let case = |name: &str, verdict| (name.to_string(), verdict);
        let mut matrix = Matrix::default();
        let cases = vec![case("fork", Verdict::Ok), case("exec", Verdict::Ok)];
        matrix.add(
            "storm",
            "off",
            Result {
                cases,
                ..Result::default()
            },
        );
        let cases = vec![
            case("fork", Verdict::Failed("Expected 0 == 1".to_string())),
            case("exec", Verdict::Skipped("needs root".to_string())),
        ];
        let problems = vec!["kernel log: BUG: x".to_string()];
        matrix.add("storm", "lend", Result { cases, problems });
        matrix.add("boot_option.sh", "lend", Result::passed("known", &[]));
        assert_eq!(
            matrix.to_string(),
            include_str!("../../tests/data/matrix.txt")
        );
    }
}
