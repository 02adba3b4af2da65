// SPDX-License-Identifier: GPL-2.0
//! Removes what the project put into its cache, after saying what.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::context::Context;
use crate::outcome::Outcome;

/// What begins like this was downloaded, or is this program. All else is made again from
/// the sources, in time but without the network.
const KEPT: [&str; 4] = ["download", "apt", "tools", "host"];

pub fn built(ctx: &Context) -> Result<Outcome> {
    remove(ctx, |name| {
        !KEPT.iter().any(|prefix| name.starts_with(prefix))
    })
}

pub fn all(ctx: &Context) -> Result<Outcome> {
    remove(ctx, |_| true)
}

fn remove(ctx: &Context, wanted: impl Fn(&str) -> bool) -> Result<Outcome> {
    for path in ctx.cached("")? {
        let name = path.file_name().unwrap_or_default();
        if wanted(&name.to_string_lossy()) {
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
