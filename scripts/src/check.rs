// SPDX-License-Identifier: GPL-2.0
//! Formats and styles of all that is here, and the tests of this program.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::checkpatch;
use crate::context::Context;
use crate::git::Git;
use crate::kernel::Kernel;
use crate::modules;
use crate::outcome::Outcome;
use crate::progress;
use crate::series::Series;
use crate::tools::Tools;
use crate::tree::Tree;

pub fn run(ctx: &Context) -> Result<Outcome> {
    let tools = Tools::ensure(ctx)?;
    let tree = Tree::ensure(ctx)?;
    let series = Series::read(&ctx.patches())?;
    let kernel = Kernel::ensure(ctx, None)?;

    let c_files = tracked(ctx, &["*.c", "*.h"])?;
    let results = [
        command(
            ctx,
            "format of the host program",
            cargo(ctx, &["fmt", "--check"]),
        ),
        command(ctx, "clippy on the host program", clippy(ctx)?),
        command(
            ctx,
            "tests of the host program",
            with_target(cargo(ctx, &["test", "--locked"]))?,
        ),
        command(ctx, "format of the modules", rustfmt(ctx)?),
        command(
            ctx,
            "clippy on the modules",
            modules::clippy(ctx, &tools, &kernel)?,
        ),
        checkpatch::series(&tree, &series),
        checkpatch::files(&tree, &ctx.root, &c_files),
        command(ctx, "shellcheck", shellcheck(ctx)?),
    ];
    let errors: Vec<_> = results
        .iter()
        .filter_map(|result| result.as_ref().err())
        .collect();
    for error in &errors {
        eprintln!("{error:#}");
    }
    let failed = errors.len();
    println!("{} passed, {failed} failed", results.len() - failed);
    Ok(if failed == 0 {
        Outcome::Pass
    } else {
        Outcome::Fail
    })
}

fn command(ctx: &Context, title: &str, mut command: Command) -> Result<()> {
    let log = ctx.log(&format!("check-{}", title.replace(' ', "-")));
    progress::run(title, &log, None, &mut command)
}

fn cargo(ctx: &Context, words: &[&str]) -> Command {
    let mut cargo = Command::new("cargo");
    cargo
        .args(words)
        .arg("--manifest-path")
        .arg(ctx.root.join("scripts/Cargo.toml"));
    cargo
}

/// With the target directory that this program was built in, as its release profile.
fn with_target(mut cargo: Command) -> Result<Command> {
    let program = env::current_exe()?;
    let target = program.ancestors().nth(2);
    cargo.arg("--target-dir");
    cargo.arg(target.context("not started from a target directory of cargo")?);
    Ok(cargo)
}

fn clippy(ctx: &Context) -> Result<Command> {
    let mut clippy = with_target(cargo(ctx, &["clippy", "--locked", "--all-targets"]))?;
    clippy.args(["--", "-D", "warnings"]);
    Ok(clippy)
}

fn rustfmt(ctx: &Context) -> Result<Command> {
    let mut rustfmt = Command::new("rustfmt");
    rustfmt.current_dir(&ctx.root);
    rustfmt.args(["--check", "--edition", "2021"]);
    rustfmt.args(tracked(ctx, &["rust/*.rs", "samples/*.rs"])?);
    Ok(rustfmt)
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
