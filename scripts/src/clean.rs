// SPDX-License-Identifier: GPL-2.0
//! Removes what the project put into its cache, after saying what.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::context::Context;
use crate::outcome::Outcome;

/// What is made again from the sources, in time but without the network.
const BUILT: [&str; 9] = [
    "kernel-",
    "stages-",
    "modules-",
    "clippy-",
    "selftests",
    "results",
    "linux-",
    "logs",
    "ccache",
];

/// What was downloaded, and this program.
const REST: [&str; 4] = ["download", "apt", "tools", "host"];

pub fn built(ctx: &Context) -> Result<Outcome> {
    remove(ctx, &BUILT)
}

pub fn all(ctx: &Context) -> Result<Outcome> {
    remove(ctx, &[&BUILT[..], &REST[..]].concat())
}

fn remove(ctx: &Context, prefixes: &[&str]) -> Result<Outcome> {
    for prefix in prefixes {
        for path in ctx.cached(prefix)? {
            println!("remove {}", path.display());
            remove_path(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(Outcome::Pass)
}

fn remove_path(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    }
}
