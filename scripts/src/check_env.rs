// SPDX-License-Identifier: GPL-2.0
//! A table of what the machine has and lacks; changes nothing.

use std::path::PathBuf;

use anyhow::Result;
use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};

use crate::context::Context;
use crate::kdir::Kdir;
use crate::needs;
use crate::outcome::Outcome;
use crate::rustc::Rustc;

pub fn run(ctx: &Context) -> Result<Outcome> {
    let mut table = Table::new();
    table
        .load_style(NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(["needed", "state", "found, or how to mend it"]);
    let mut findings = needs::probe(ctx);
    if let (Some(dir), Some(rustc)) = (kdir(ctx)?, Rustc::find()) {
        println!("KDIR is {}", dir.display());
        findings.extend(Kdir::read(&dir).findings(&rustc));
    }
    let mut failed = 0;
    for finding in findings {
        match finding.state {
            Ok(found) => table.add_row([finding.what.as_str(), "OK", &found]),
            Err(fault) => {
                failed += 1;
                table.add_row([finding.what.as_str(), "FAIL", &fault.to_string()])
            }
        };
    }
    println!("{table}");
    if failed == 0 {
        return Ok(Outcome::Pass);
    }
    println!("{failed} failed");
    Ok(Outcome::Infrastructure)
}

/// The kernel that modules are built against: the user's, or the one in the cache.
fn kdir(ctx: &Context) -> Result<Option<PathBuf>> {
    if ctx.kdir.is_some() {
        return Ok(ctx.kdir.clone());
    }
    Ok(ctx.cached("kernel-")?.pop())
}
