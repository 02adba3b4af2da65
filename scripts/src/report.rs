// SPDX-License-Identifier: GPL-2.0
//! Tables and verdicts for people.

use std::fmt;

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};

/// One thing that has to hold, and whether it does.
pub struct Target {
    pub met: bool,
    pub text: String,
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

pub fn write_targets(f: &mut fmt::Formatter<'_>, targets: &[Target]) -> fmt::Result {
    for Target { met, text } in targets {
        let verdict = if *met { "ok" } else { "FAIL" };
        writeln!(f, "{verdict}: {text}")?;
    }
    Ok(())
}
