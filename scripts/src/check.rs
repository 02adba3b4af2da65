// SPDX-License-Identifier: GPL-2.0
//! Formats and styles of all that is here, and the tests of this program.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::context::Context;
use crate::git::Git;
use crate::kernel::Kernel;
use crate::modules;
use crate::outcome::Outcome;
use crate::progress;
use crate::series::Series;
use crate::tools::Tools;
use crate::tree::Tree;

/// What checkpatch must not complain about, in the series alone: who submits it
/// signs it, and MAINTAINERS entries come with a submission.
const NOT_YET: &str = "MISSING_SIGN_OFF,NO_AUTHOR_SIGN_OFF,FILE_PATH_CHANGES";

pub fn run(ctx: &Context) -> Result<Outcome> {
    let tools = Tools::ensure(ctx)?;
    let tree = Tree::ensure(ctx)?;
    let series = Series::read(&ctx.patches())?;
    let kernel = Kernel::ensure(ctx, &[])?;

    let checks = [
        (
            "format of the host program",
            cargo(ctx, &["fmt", "--check"]),
        ),
        ("clippy on the host program", clippy(ctx)),
        (
            "tests of the host program",
            with_target(ctx, cargo(ctx, &["test", "--locked"])),
        ),
        ("format of the modules", rustfmt(ctx)?),
        (
            "clippy on the modules",
            modules::clippy(ctx, &tools, &kernel)?,
        ),
        (
            "checkpatch on the series",
            checkpatch(&tree, &["--ignore", NOT_YET], &series.patches),
        ),
        ("checkpatch on C files", checkpatch_files(ctx, &tree)?),
        ("shellcheck", shellcheck(ctx)?),
    ];
    let (mut passed, mut failed) = (0, 0);
    for (title, mut command) in checks {
        let log = ctx.log(&format!("check-{}", title.replace(' ', "-")));
        match progress::run(title, &log, None, &mut command) {
            Ok(()) => passed += 1,
            Err(error) => {
                eprintln!("{error:#}");
                failed += 1;
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    Ok(if failed == 0 {
        Outcome::Pass
    } else {
        Outcome::Fail
    })
}

fn cargo(ctx: &Context, words: &[&str]) -> Command {
    let mut cargo = Command::new("cargo");
    cargo
        .args(words)
        .arg("--manifest-path")
        .arg(ctx.root.join("scripts/Cargo.toml"));
    cargo
}

fn with_target(ctx: &Context, mut cargo: Command) -> Command {
    cargo.arg("--target-dir").arg(ctx.cache.join("host"));
    cargo
}

fn clippy(ctx: &Context) -> Command {
    let mut clippy = with_target(ctx, cargo(ctx, &["clippy", "--locked", "--all-targets"]));
    clippy.args(["--", "-D", "warnings"]);
    clippy
}

fn rustfmt(ctx: &Context) -> Result<Command> {
    let mut rustfmt = Command::new("rustfmt");
    rustfmt.current_dir(&ctx.root);
    rustfmt.args(["--check", "--edition", "2021"]);
    rustfmt.args(tracked(ctx, &["rust/*.rs", "samples/*.rs"])?);
    Ok(rustfmt)
}

fn checkpatch(tree: &Tree) -> Command {
    let mut checkpatch = Command::new("perl");
    checkpatch.arg(tree.dir.join("scripts/checkpatch.pl"));
    checkpatch.arg(format!("--root={}", tree.dir.display()));
    checkpatch.args(["--strict", "--terse", "--show-types", "--no-summary"]);
    checkpatch
}

/// Called from the kernel tree: in the project, whose git knows the patches,
/// checkpatch would take them for sources.
fn checkpatch_series(tree: &Tree, series: &Series) -> Command {
    let mut checkpatch = checkpatch(tree);
    checkpatch
        .current_dir(&tree.dir)
        .args(["--ignore", NOT_YET])
        .args(&series.patches);
    checkpatch
}

fn checkpatch_files(ctx: &Context, tree: &Tree) -> Result<Command> {
    let mut checkpatch = checkpatch(tree);
    checkpatch
        .current_dir(&ctx.root)
        .arg("-f")
        .args(tracked(ctx, &["*.c", "*.h"])?);
    Ok(checkpatch)
}

fn shellcheck(ctx: &Context) -> Result<Command> {
    let mut shellcheck = Command::new("shellcheck");
    shellcheck.current_dir(&ctx.root);
    shellcheck.args(["--external-sources", "--source-path=SCRIPTDIR", ".ci/run"]);
    shellcheck.args(tracked(ctx, &["*.sh"])?);
    Ok(shellcheck)
}

/// The files of the project that match one of `patterns`.
fn tracked(ctx: &Context, patterns: &[&str]) -> Result<Vec<PathBuf>> {
    let mut list = Git::at(&ctx.root).command(["ls-files", "--"]);
    let files =
        crate::process::read(list.args(patterns)).context("`check` needs a git checkout")?;
    Ok(files
        .lines()
        .map(|file| Path::new(file).to_path_buf())
        .collect())
}
