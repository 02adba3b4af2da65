// SPDX-License-Identifier: GPL-2.0
//! The kernel's own style checker, on the series and on the C files here.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

use crate::progress::Progress;
use crate::series::Series;
use crate::tree::Tree;

/// What is right for a series that nobody has submitted yet: who does signs it,
/// and adds it to MAINTAINERS.
const NOT_YET: &str = "MISSING_SIGN_OFF,NO_AUTHOR_SIGN_OFF,FILE_PATH_CHANGES";
/// Takes the name of a Makefile that is included for that of the file itself.
const WRONG_NAME: &str = "EMBEDDED_FILENAME";
/// Wants linux/nmi.h, which includes asm/nmi.h in some configurations only.
const WRONG_HEADER: &str = "INCLUDE_LINUX";

pub fn series(tree: &Tree, series: &Series) -> Result<()> {
    // Not in the project: its git knows the patches, so they would pass for sources.
    let ignored = format!("{NOT_YET},{WRONG_NAME}");
    let options = ["--showfile", "--ignore", &ignored];
    check(
        "checkpatch on the series",
        tree,
        &tree.dir,
        &options,
        &series.patches,
    )
}

/// `files` are relative to `root`.
pub fn files(tree: &Tree, root: &Path, files: &[PathBuf]) -> Result<()> {
    let options = ["-f", "--ignore", WRONG_HEADER];
    check("checkpatch on C files", tree, root, &options, files)
}

/// One call for all files: checkpatch is slow to start.
fn check(title: &str, tree: &Tree, dir: &Path, options: &[&str], files: &[PathBuf]) -> Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    let progress = Progress::new(title, None);
    let output = Command::new("perl")
        .arg(tree.dir.join("scripts/checkpatch.pl"))
        .arg(format!("--root={}", tree.dir.display()))
        .args(["--strict", "--terse", "--show-types", "--no-summary"])
        .args(options)
        .args(files)
        .current_dir(dir)
        .stdin(Stdio::null())
        .output()
        .context("cannot start perl")?;
    let report = String::from_utf8_lossy(&output.stdout);
    let broke = !output.status.success() && report.is_empty();
    ensure!(
        !broke,
        "checkpatch broke: {}",
        String::from_utf8_lossy(&output.stderr)
    );

    let complaints: Vec<_> = report.lines().collect();
    if complaints.is_empty() {
        progress.done();
        return Ok(());
    }
    progress.failed();
    bail!("{title}:\n  {}", complaints.join("\n  "))
}
