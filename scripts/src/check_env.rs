// SPDX-License-Identifier: GPL-2.0
//! A table of what the machine has and lacks; changes nothing.

use std::path::PathBuf;

use anyhow::Result;
use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{ContentArrangement, Table};

use crate::context::Context;
use crate::kdir::Kdir;
use crate::needs;
use crate::outcome::Outcome;
use crate::rustc::Rustc;

pub fn run(ctx: &Context) -> Result<Outcome> {
    let mut table = Table::new();
    table
        .load_style(UTF8_HORIZONTAL_ONLY)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(["needed", "state", "found, or how to mend it"]);
    let mut failed = 0;
    let mut add = |what: &str, state: Result<String, String>| match state {
        Ok(found) => {
            table.add_row([what, "OK", &found]);
        }
        Err(mend) => {
            failed += 1;
            table.add_row([what, "FAIL", &mend]);
        }
    };
    for need in needs::probe(ctx) {
        let mend = need.mend.to_string();
        add(
            &need.what,
            need.state.map_err(|wrong| format!("{wrong}: {mend}")),
        );
    }
    if let (Some(dir), Some(rustc)) = (kdir(ctx)?, Rustc::find()) {
        add("KDIR", Ok(dir.display().to_string()));
        for finding in Kdir::read(&dir).findings(&rustc) {
            let state = finding
                .state
                .map_err(|fault| format!("{}: {}", fault.wrong, fault.mend));
            add(finding.what, state);
        }
    }
    println!("{table}");
    if failed == 0 {
        return Ok(Outcome::Pass);
    }
    println!("{failed} failed; `make setup` installs what is missing");
    Ok(Outcome::Infrastructure)
}

/// The kernel that modules are built against: the user's, or the one in the cache.
fn kdir(ctx: &Context) -> Result<Option<PathBuf>> {
    if ctx.kdir.is_some() {
        return Ok(ctx.kdir.clone());
    }
    Ok(ctx.cached("kernel-")?.pop())
}
