// SPDX-License-Identifier: GPL-2.0
//! The functions that make stacks grow, methods side by side.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;

use super::record::Record;
use crate::report::{self, Target};

/// What a line of the table has room for.
const SYMBOL_CHARS: usize = 48;
const ROOM: &str = "each CPU has room for 128 places";

/// One method.
pub struct Column {
    pub method: &'static str,
    pub record: Record,
}

pub struct Comparison {
    pub columns: Vec<Column>,
    /// All functions, those with the most events first.
    symbols: Vec<String>,
    /// How many of them are shown.
    top: usize,
}

impl Comparison {
    pub fn new(columns: Vec<Column>, top: usize) -> Self {
        let mut sums = BTreeMap::<_, u64>::new();
        for column in &columns {
            for (symbol, growth) in &column.record.functions {
                *sums.entry(symbol.clone()).or_default() += growth.events;
            }
        }
        let mut symbols: Vec<_> = sums.keys().cloned().collect();
        symbols.sort_by_key(|symbol| Reverse(sums[symbol]));
        Self {
            columns,
            symbols,
            top,
        }
    }

    pub fn top(&self) -> impl Iterator<Item = &str> {
        self.symbols.iter().take(self.top).map(String::as_str)
    }

    /// Under each method.
    pub fn events(&self, symbol: &str) -> impl Iterator<Item = u64> {
        let columns = self.columns.iter();
        columns.map(move |column| {
            let growth = column.record.functions.get(symbol);
            growth.map_or(0, |growth| growth.events)
        })
    }

    pub fn targets(&self) -> Vec<Target> {
        let columns = self.columns.iter();
        columns
            .flat_map(|Column { method, record }| {
                let functions = record.functions.len();
                let lost = record.lost;
                [
                    Target::new(
                        functions > 0,
                        format!("{method}: {functions} functions made stacks grow"),
                    ),
                    Target {
                        excuse: Some(ROOM),
                        ..Target::new(lost == 0, format!("{method}: {lost} events were lost"))
                    },
                ]
            })
            .collect()
    }

    /// For programs.
    pub fn lines(&self) -> String {
        let columns = self.columns.iter();
        let rows = columns.flat_map(|Column { method, record }| {
            let functions = record.functions.iter();
            functions.map(move |(symbol, growth)| {
                format!("{method} {} {} {symbol}\n", growth.events, growth.pages)
            })
        });
        rows.collect()
    }

    fn row(&self, label: &str, symbols: &[String]) -> Vec<String> {
        let cells = self.columns.iter().map(|column| {
            let functions = &column.record.functions;
            let found = symbols.iter().filter_map(|symbol| functions.get(symbol));
            let sum = found.fold((0, 0), |(events, pages), growth| {
                (events + growth.events, pages + growth.pages)
            });
            match sum {
                (0, _) => "-".to_string(),
                (events, pages) => format!("{events} ({pages})"),
            }
        });
        [label.to_string()].into_iter().chain(cells).collect()
    }

    fn owned(&self) -> Vec<String> {
        let cells = self.columns.iter().map(|Column { record, .. }| {
            let each = record.owned_pages as f64 / record.threads as f64;
            format!("{each:.2} ({} by {})", record.owned_pages, record.threads)
        });
        let label = "pages owned by a thread afterwards (by all)".to_string();
        [label].into_iter().chain(cells).collect()
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods = self.columns.iter().map(|column| column.method);
        let header: Vec<_> = ["events (pages)"].into_iter().chain(methods).collect();
        let mut table = report::table(&header);
        let (top, others) = self.symbols.split_at(self.top.min(self.symbols.len()));
        for symbol in top {
            let label = shortened(symbol, SYMBOL_CHARS);
            table.add_row(self.row(&label, std::slice::from_ref(symbol)));
        }
        if !others.is_empty() {
            let label = format!("{} other functions", others.len());
            table.add_row(self.row(&label, others));
        }
        table.add_row(self.row("all", &self.symbols));
        table.add_row(self.owned());
        writeln!(f, "{table}")?;
        report::write_targets(f, &self.targets())
    }
}

/// Names of Rust functions are long: their ends are cut, but not the module.
pub fn shortened(symbol: &str, chars: usize) -> String {
    if symbol.chars().count() <= chars {
        return symbol.to_string();
    }
    let (name, module) = symbol.split_at(symbol.find(" [").unwrap_or(symbol.len()));
    let room = chars.saturating_sub(module.chars().count() + 1);
    let start: String = name.chars().take(room).collect();
    format!("{start}…{module}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(top: usize) -> Comparison {
        let column = |method, text: &str| {
            let lines: Vec<_> = text.lines().map(str::to_string).collect();
            Column {
                method,
                record: Record::read(&lines).unwrap(),
            }
        };
        Comparison::new(
            vec![
                column("lend", include_str!("../../tests/data/growth-lend.log")),
                column("fault", include_str!("../../tests/data/growth-fault.log")),
            ],
            top,
        )
    }

    #[test]
    fn recorded_output_becomes_this_table() {
        assert_eq!(
            recorded(10).to_string(),
            include_str!("../../tests/data/growth.txt")
        );
    }

    #[test]
    fn nothing_recorded_is_a_failure() {
        let mut comparison = recorded(10);
        let failed = |comparison: &Comparison| comparison.targets().iter().any(Target::failed);
        assert!(!failed(&comparison));
        comparison.columns[1].record.functions.clear();
        assert!(failed(&comparison));
    }

    #[test]
    fn long_names_keep_their_module() {
        assert_eq!(shortened("ovl_read_iter", 24), "ovl_read_iter");
        let symbol = "_RNvMNtCs5_12stack_stress7descent [stack_stress]";
        assert_eq!(shortened(symbol, 24), "_RNvMNtC… [stack_stress]");
    }
}
