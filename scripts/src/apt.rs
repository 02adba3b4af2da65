// SPDX-License-Identifier: GPL-2.0
//! Debian packages.

use std::path::PathBuf;

use anyhow::Result;

use crate::context::Context;

/// Downloads `package` into the cache and returns the file.
pub fn download(_ctx: &Context, _package: &str) -> Result<PathBuf> {
    anyhow::bail!("not yet")
}
