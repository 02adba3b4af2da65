// SPDX-License-Identifier: GPL-2.0
//! `off` against `lend`: the table and what has to hold.

use std::fmt;

use super::memory::{Measured, Memory};
use crate::report::{self, Target};

/// They make no difference among thousands of threads, only among some fifty.
const WHOLE_STACKS: &str = "idle threads, stoppers, kstackd, kswapd and oom_reaper own their whole stacks, to run without memory";

pub struct Comparison {
    pub threads: u32,
    pub off: Measured,
    pub lend: Measured,
}

impl Comparison {
    pub fn targets(&self) -> Vec<Target> {
        // Under `off` a thread owns every slot, under `lend` one of them.
        let slots = self.pages_per_thread(&self.off).round();
        let ideal = 100.0 * (1.0 - 1.0 / slots);
        let lend = self.pages_per_thread(&self.lend);
        // Two boots do not leave the same number of threads.
        let [off_boot, lend_boot] = [&self.off, &self.lend].map(|m| m.boot.pages_per_thread());
        let boot = saved(off_boot, lend_boot);
        let confirmed = self.confirmed();
        let mut targets = vec![
            Target::new(
                format!("{lend:.2}") == "1.00",
                format!("a parked thread owns {lend:.2} pages (wanted: 1.00)"),
            ),
            Target {
                excuse: Some(WHOLE_STACKS),
                ..Target::new(
                    boot >= ideal - 1.0,
                    format!(
                        "{boot:.1} % saved per thread at boot (wanted: {:.1})",
                        ideal - 1.0
                    ),
                )
            },
            Target::new(
                confirmed >= 95.0,
                format!("free memory confirms {confirmed:.1} % of it (wanted: 95.0)"),
            ),
        ];
        for (method, measured) in [("off", &self.off), ("lend", &self.lend)] {
            targets.extend(measured.stress.iter().map(|test| {
                Target::new(
                    !test.verdict.is_failed(),
                    format!("stress test, {method}: {}", test.name),
                )
            }));
        }
        targets
    }

    fn pages_per_thread(&self, measured: &Measured) -> f64 {
        measured.stacks_of_parked() / measured.parked.page / f64::from(self.threads)
    }

    /// How much of what KernelStack saves is seen in the free memory, in percent.
    fn confirmed(&self) -> f64 {
        let free = self.off.taken_by_parked() - self.lend.taken_by_parked();
        100.0 * free / (self.off.stacks_of_parked() - self.lend.stacks_of_parked())
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let threads = self.threads;
        let mut table = report::table(&["", "off", "lend", "saved"]);
        let mut row = |name: String, off: f64, lend: f64, unit: &str, digits: usize| {
            table.add_row([
                name,
                format!("{off:.digits$}{unit}"),
                format!("{lend:.digits$}{unit}"),
                format!("{:.1} %", saved(off, lend)),
            ]);
        };
        let mut sizes = |name: String, size: fn(&Measured) -> f64| {
            row(name, size(&self.off), size(&self.lend), " kB", 0);
        };
        sizes("KernelStack at boot".into(), |m| m.boot.kernel_stack);
        sizes(format!("KernelStack with {threads} threads"), |m| {
            m.parked.kernel_stack
        });
        sizes("KernelStack after the stress tests".into(), |m| {
            m.stressed.kernel_stack
        });
        sizes(
            format!("free memory taken by {threads} threads"),
            Measured::taken_by_parked,
        );
        let (off, lend) = (&self.off, &self.lend);
        let pages = |measured| self.pages_per_thread(measured);
        let at_boot = |measured: &Measured| measured.boot.pages_per_thread();
        row(
            "pages per thread at boot".into(),
            at_boot(off),
            at_boot(lend),
            "",
            2,
        );
        row(
            "pages per parked thread".into(),
            pages(off),
            pages(lend),
            "",
            2,
        );
        let share = |memory: &Memory| 100.0 * memory.kernel_stack / memory.total;
        row(
            format!("share of all memory with {threads} threads"),
            share(&off.parked),
            share(&lend.parked),
            " %",
            2,
        );
        let counts = |name: &str, count: fn(&Measured) -> String| {
            [name.to_string(), count(off), count(lend)]
        };
        table.add_rows([
            counts("held by the CPUs, to lend", |m| {
                format!("{:.0} kB", m.parked.stock)
            }),
            counts("pages lent, since boot", |m| m.lends.to_string()),
            counts("pages kept, since boot", |m| m.keeps.to_string()),
        ]);
        writeln!(f, "{table}")?;
        report::write_targets(f, &self.targets())
    }
}

fn saved(off: f64, lend: f64) -> f64 {
    100.0 * (1.0 - lend / off)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(output: &str) -> Measured {
        let lines: Vec<_> = output.lines().map(str::to_string).collect();
        Measured::read(&lines).unwrap()
    }

    #[test]
    fn recorded_output_becomes_this_table() {
        let comparison = Comparison {
            threads: 10_000,
            off: measured(include_str!("../../tests/data/demo-off.log")),
            lend: measured(include_str!("../../tests/data/demo-lend.log")),
        };
        assert_eq!(
            comparison.to_string(),
            include_str!("../../tests/data/demo.txt")
        );
    }

    #[test]
    fn missing_feature_is_named() {
        let output = include_str!("../../tests/data/demo-off.log");
        let lines = output.lines().filter(|line| !line.contains("_stock"));
        let lines: Vec<_> = lines.map(str::to_string).collect();
        let error = format!("{:#}", Measured::read(&lines).unwrap_err());
        assert!(error.contains("CONFIG_DYNAMIC_STACK"), "{error}");
    }
}
