// SPDX-License-Identifier: GPL-2.0
//! Tables and verdicts for people.

use std::fmt;

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};

use crate::outcome::Outcome;

/// One thing that was aimed at, and whether it was reached.
pub struct Target {
    pub met: bool,
    pub text: String,
    /// Why it may be missed; without a reason a miss is a failure.
    pub excuse: Option<&'static str>,
}

impl Target {
    pub fn new(met: bool, text: String) -> Self {
        Self {
            met,
            text,
            excuse: None,
        }
    }

    /// Instructions are counted: what differs is another run of the same.
    pub fn same_boots(apart: f64) -> Self {
        let text = format!("two boots count the same (apart: {apart:.3} %)");
        Self::new(apart == 0.0, text)
    }

    pub fn failed(&self) -> bool {
        !self.met && self.excuse.is_none()
    }
}

pub fn outcome(targets: &[Target]) -> Outcome {
    match targets.iter().any(Target::failed) {
        true => Outcome::Fail,
        false => Outcome::Pass,
    }
}

/// A table whose first column names the row, and whose others are figures.
pub fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// How much more than `first`, and in what ratio.
pub fn against(first: f64, value: f64, decimals: usize) -> String {
    let unit = 10_f64.powi(decimals as i32);
    // Adding zero makes -0 the other one.
    let more = ((value - first) * unit).round() / unit + 0.0;
    format!("{more:+.decimals$}, x{:.3}", value / first)
}

pub fn write_targets(f: &mut fmt::Formatter<'_>, targets: &[Target]) -> fmt::Result {
    for Target { met, text, excuse } in targets {
        match (met, excuse) {
            (true, _) => writeln!(f, "ok: {text}")?,
            (false, None) => writeln!(f, "FAIL: {text}")?,
            (false, Some(excuse)) => writeln!(f, "missed: {text}: {excuse}")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::against;

    #[test]
    fn nothing_is_no_less() {
        assert_eq!(against(5.0, 4.96, 1), "+0.0, x0.992");
        assert_eq!(against(2.0, 1.0, 0), "-1, x0.500");
    }
}
