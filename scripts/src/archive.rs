// SPDX-License-Identifier: GPL-2.0
//! The files of a guest that has no others.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::process;

/// Packs `files` of `dir`, in that order, for the kernel to unpack at boot.
pub fn pack<S: AsRef<str>>(dir: &Path, files: &[S], archive: &Path) -> Result<PathBuf> {
    let mut cpio = Command::new("cpio");
    cpio.current_dir(dir)
        .args(["--quiet", "-o", "-H", "newc", "--reproducible", "-O"])
        .arg(archive);
    let list: Vec<_> = files.iter().map(AsRef::as_ref).collect();
    process::feed(&mut cpio, &(list.join("\n") + "\n"))?;
    Ok(archive.to_path_buf())
}
