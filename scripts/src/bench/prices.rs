// SPDX-License-Identifier: GPL-2.0
//! What the guest's bench program printed: instructions per operation.

use anyhow::{Result, ensure};

use crate::kv::Values;

pub struct Operation {
    /// In the program's output.
    pub key: &'static str,
    /// For people.
    pub name: &'static str,
    /// Which of the figures is the price.
    figure: usize,
    /// It is measured by stack_stress, and left out where there is no such module.
    by_module: bool,
}

pub const OPERATIONS: [Operation; 14] = [
    Operation::mean("switch", "context switch"),
    Operation::mean("clone_exit", "thread clone+exit"),
    Operation::mean("vfork_exit", "vfork+exit"),
    Operation::mean("null_syscall", "null syscall"),
    Operation::median("pipe_round_trip", "pipe round trip"),
    Operation::median("file_read", "4 KiB file read"),
    Operation::median("user_fault", "page fault in user mode"),
    Operation::median("kernel_fault", "read(), page fault in the kernel"),
    Operation::median("user_interrupt", "timer tick in user mode"),
    Operation::by_module("kernel_interrupt", "interrupt in the kernel"),
    Operation::by_module("deep_switch", "switch from a thread that was deep"),
    Operation::by_module("refill_switch", "switch after two failed refills"),
    Operation::by_module("stack_fault", "first write to the next page"),
    Operation::by_module("stack_fault_deep", "first write at the deepest page"),
];
/// How each one was averaged.
const FIGURES: [&str; 3] = ["mean", "median", "min"];
/// Nothing is left out of it: what is put off is paid for later.
const MEAN: usize = 0;
/// For one way through the kernel: the mean would have what happens to come beside it.
const MEDIAN: usize = 1;
/// How far a tick of the TSC may be from an instruction.
const TICK_TOLERANCE: f64 = 0.01;

/// One operation, averaged in each way.
type Figures = [f64; FIGURES.len()];

#[derive(Clone, Debug, PartialEq)]
pub struct Prices {
    /// In the order above.
    operations: [Option<Figures>; OPERATIONS.len()],
    /// Pages lent per switch: each one is a locked cmpxchg when it comes back.
    pub lends_per_switch: f64,
}

/// Where `key` is in `OPERATIONS`. Of a constant, a wrong key does not compile.
pub const fn index_of(key: &str) -> usize {
    let mut index = 0;
    while !is_equal(OPERATIONS[index].key.as_bytes(), key.as_bytes()) {
        index += 1;
    }
    index
}

/// The operator is not for constants yet.
const fn is_equal(one: &[u8], other: &[u8]) -> bool {
    match (one, other) {
        ([], []) => true,
        ([first, one @ ..], [second, other @ ..]) => *first == *second && is_equal(one, other),
        _ => false,
    }
}

impl Operation {
    const fn mean(key: &'static str, name: &'static str) -> Self {
        Self {
            key,
            name,
            figure: MEAN,
            by_module: false,
        }
    }

    const fn median(key: &'static str, name: &'static str) -> Self {
        Self {
            figure: MEDIAN,
            ..Self::mean(key, name)
        }
    }

    const fn by_module(key: &'static str, name: &'static str) -> Self {
        Self {
            by_module: true,
            ..Self::median(key, name)
        }
    }

    /// Growing a stack is not: `off` pays nothing for it, a percentage has no base. And
    /// what does not depend on the size of the stack is drawn for the `first` one only.
    pub fn is_drawn(&self, first: bool) -> bool {
        match self.key {
            "stack_fault" | "stack_fault_deep" | "deep_switch" | "refill_switch" => false,
            "switch" | "clone_exit" | "vfork_exit" => true,
            _ => first,
        }
    }

    fn read(&self, values: &Values) -> Result<Option<Figures>> {
        let mut figures = Figures::default();
        for (figure, kind) in figures.iter_mut().zip(FIGURES) {
            let key = self.figure_key(kind);
            if self.by_module && values.text(&key).is_err() {
                return Ok(None);
            }
            *figure = values.number(&key)?;
        }
        Ok(Some(figures))
    }

    fn figure_key(&self, kind: &str) -> String {
        format!("{}_{kind}", self.key)
    }
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
            operations: Default::default(),
            lends_per_switch: values.number("lends_per_switch")?,
        };
        for (figures, operation) in prices.operations.iter_mut().zip(&OPERATIONS) {
            *figures = operation.read(&values)?;
        }
        Ok(prices)
    }

    /// The price of `OPERATIONS[index]`; None if it was not measured.
    pub fn of(&self, index: usize) -> Option<f64> {
        let figures = self.operations[index]?;
        Some(figures[OPERATIONS[index].figure])
    }

    fn figures(&self) -> impl Iterator<Item = &f64> {
        self.operations.iter().flatten().flatten()
    }

    /// The largest relative difference of any figure, in percent.
    pub fn differs_from(&self, other: &Self) -> f64 {
        let pairs = self.figures().zip(other.figures());
        pairs
            .map(|(a, b)| 100.0 * (a - b).abs() / a)
            .fold(0.0, f64::max)
    }

    /// For programs: "PREFIX.KEY VALUE" lines.
    pub fn lines(&self, prefix: &str) -> String {
        let mut lines = String::new();
        for (operation, figures) in OPERATIONS.iter().zip(&self.operations) {
            for (kind, figure) in FIGURES.iter().zip(figures.iter().flatten()) {
                let key = operation.figure_key(kind);
                lines += &format!("{prefix}.{key} {figure:.2}\n");
            }
        }
        lines + &format!("{prefix}.lends_per_switch {:.2}\n", self.lends_per_switch)
    }
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
        assert_eq!(prices.of(index_of("switch")), Some(2093.67));
        assert_eq!(prices.of(index_of("null_syscall")), Some(243.19));
        let lines = prices.lines("16.off");
        assert!(
            lines.contains("\n16.off.clone_exit_min 48026.80\n"),
            "{lines}"
        );
    }

    #[test]
    fn operations_are_found_by_the_whole_key() {
        assert_eq!(
            OPERATIONS[index_of("stack_fault")].name,
            "first write to the next page"
        );
        assert_eq!(index_of("switch"), 0);
    }

    #[test]
    fn runs_are_compared_by_their_worst_figure() {
        let first = Prices::read(&output()).unwrap();
        let mut second = first.clone();
        assert_eq!(first.differs_from(&second), 0.0);
        second.operations[1].as_mut().unwrap()[2] *= 1.01;
        assert!((first.differs_from(&second) - 1.0).abs() < 0.001);
    }

    #[test]
    fn only_what_the_module_measures_may_be_missing() {
        let without = |key: &str| {
            let mut output = output();
            output.retain(|line| !line.starts_with(key));
            Prices::read(&output)
        };
        let prices = without("stack_fault_deep_").unwrap();
        assert_eq!(prices.of(index_of("stack_fault_deep")), None);
        assert!(!prices.lines("16.off").contains("stack_fault_deep"));
        let error = without("user_fault_").unwrap_err().to_string();
        assert!(error.contains("user_fault_mean"), "{error}");
    }

    #[test]
    fn ticks_that_are_no_instructions_are_refused() {
        let mut output = output();
        output.push("tick_ratio_median 0.34".to_string());
        let error = Prices::read(&output).unwrap_err().to_string();
        assert!(error.contains("-icount"), "{error}");
    }
}
