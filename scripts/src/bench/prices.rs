// SPDX-License-Identifier: GPL-2.0
//! What the guest's bench program printed: instructions per operation.

use anyhow::{Result, ensure};

use crate::kv::Values;

/// Key of the program's output, and the name for people.
pub const OPERATIONS: [(&str, &str); 4] = [
    ("switch", "context switch"),
    ("clone_exit", "thread clone+exit"),
    ("vfork_exit", "vfork+exit"),
    ("null_syscall", "null syscall"),
];
/// How each one was averaged. The mean is the price: nothing is left out of it.
const FIGURES: [&str; 3] = ["mean", "median", "min"];
const MEAN: usize = 0;
/// How far a tick of the TSC may be from an instruction.
const TICK_TOLERANCE: f64 = 0.01;

#[derive(Clone, Debug, PartialEq)]
pub struct Prices {
    /// The figures of each operation, in the order above.
    figures: [[f64; FIGURES.len()]; OPERATIONS.len()],
    /// Pages lent per switch: each one is a locked cmpxchg when it comes back.
    pub lends_per_switch: f64,
}

impl Prices {
    pub fn read(output: &[String]) -> Result<Self> {
        let values = Values::parse(output.iter().map(String::as_str));
        let tick: f64 = values.number("tick_ratio_median")?;
        ensure!(
            (tick - 1.0).abs() <= TICK_TOLERANCE,
            "a tick of the TSC must be an instruction, but {tick} ticks were; is -icount in effect?"
        );
        let mut prices = Self {
            figures: Default::default(),
            lends_per_switch: values.number("lends_per_switch")?,
        };
        for (operation, figure, key) in keys() {
            prices.figures[operation][figure] = values.number(&key)?;
        }
        Ok(prices)
    }

    /// The price of `OPERATIONS[index]`.
    pub fn of(&self, index: usize) -> f64 {
        self.figures[index][MEAN]
    }

    /// The largest relative difference of any figure, in percent.
    pub fn differs_from(&self, other: &Self) -> f64 {
        let mine = self.figures.iter().flatten();
        mine.zip(other.figures.iter().flatten())
            .map(|(a, b)| 100.0 * (a - b).abs() / a)
            .fold(0.0, f64::max)
    }

    /// For programs: "PREFIX.KEY VALUE" lines.
    pub fn lines(&self, prefix: &str) -> String {
        let line = |(operation, figure, key): (usize, usize, _)| {
            format!("{prefix}.{key} {:.2}\n", self.figures[operation][figure])
        };
        let lines: String = keys().map(line).collect();
        lines + &format!("{prefix}.lends_per_switch {:.2}\n", self.lends_per_switch)
    }
}

/// Each figure of each operation: its place, and its key in the output.
fn keys() -> impl Iterator<Item = (usize, usize, String)> {
    let operations = OPERATIONS.iter().enumerate();
    operations.flat_map(|(operation, (name, _))| {
        let figures = FIGURES.iter().enumerate();
        figures.map(move |(figure, kind)| (operation, figure, format!("{name}_{kind}")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output() -> Vec<String> {
        let text = include_str!("../../tests/data/bench-off.log");
        text.lines().map(str::to_string).collect()
    }

    #[test]
    fn recorded_output() {
        let prices = Prices::read(&output()).unwrap();
        assert_eq!(prices.of(0), 2055.34);
        assert_eq!(prices.of(3), 240.17);
        let lines = prices.lines("16.off");
        assert!(
            lines.contains("\n16.off.clone_exit_min 44291.80\n"),
            "{lines}"
        );
    }

    #[test]
    fn runs_are_compared_by_their_worst_figure() {
        let first = Prices::read(&output()).unwrap();
        let mut second = first.clone();
        assert_eq!(first.differs_from(&second), 0.0);
        second.figures[1][2] *= 1.01;
        assert!((first.differs_from(&second) - 1.0).abs() < 0.001);
    }

    #[test]
    fn ticks_that_are_no_instructions_are_refused() {
        let mut output = output();
        output.push("tick_ratio_median 0.34".to_string());
        let error = Prices::read(&output).unwrap_err().to_string();
        assert!(error.contains("-icount"), "{error}");
    }
}
