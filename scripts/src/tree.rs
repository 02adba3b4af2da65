// SPDX-License-Identifier: GPL-2.0
//! The kernel tree: the base source as the first commit, then the series.
//!
//! The tag `base` is the source; a tag `series-KEY` is the last commit of the
//! series that has this key. A HEAD without such a tag is somebody's work.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

use crate::context::Context;
use crate::git::Git;
use crate::outcome::Outcome;
use crate::process;
use crate::progress;
use crate::series::Series;
use crate::source::Source;

pub struct Tree {
    pub dir: PathBuf,
}

pub fn run(ctx: &Context) -> Result<Outcome> {
    println!("{}", Tree::ensure(ctx)?.dir.display());
    Ok(Outcome::Pass)
}

impl Tree {
    /// The tree with the series applied.
    pub fn ensure(ctx: &Context) -> Result<Self> {
        let tree = Self::unpack(ctx)?;
        let series = Series::read(&ctx.patches())?;
        tree.check_out(ctx, &series)?;
        Ok(tree)
    }

    /// The tree as it is, whoever works in it, and the tag of the series in it.
    pub fn with_series(ctx: &Context) -> Result<(Self, String)> {
        let tree = Self::unpack(ctx)?;
        let tag = tree.tag_series(ctx, &Series::read(&ctx.patches())?)?;
        Ok((tree, tag))
    }

    /// The tree as it is; only when there is none it is made, without the series.
    pub fn unpack(ctx: &Context) -> Result<Self> {
        let source = Source::find(ctx)?;
        let dir = ctx.cache.join(format!("linux-{}", source.key()?));
        if dir.exists() {
            return Ok(Self { dir });
        }
        // A name of its own until complete: an interrupted run leaves no half tree.
        let partial = dir.with_extension("partial");
        if partial.exists() {
            fs::remove_dir_all(&partial)?;
        }
        fs::create_dir_all(&partial)?;
        source.extract(ctx, &partial)?;
        commit_base(ctx, &partial)?;
        fs::rename(&partial, &dir)?;
        Ok(Self { dir })
    }

    pub fn git(&self) -> Git {
        Git::at(&self.dir)
    }

    fn check_out(&self, ctx: &Context, series: &Series) -> Result<()> {
        let git = self.git();
        let wanted = series_tag(series)?;
        let here = git.read(["tag", "--points-at", "HEAD"])?;
        if here.lines().any(|tag| tag == wanted) {
            return Ok(());
        }
        ensure!(
            !here.is_empty(),
            "{} has commits that are not in patches/: keep them with `make refresh`, or drop them with `git checkout base`",
            self.dir.display()
        );
        ensure!(
            !git.is_dirty()?,
            "{} has uncommitted changes: commit and `make refresh`, or drop them",
            self.dir.display()
        );
        self.tag_series(ctx, series)?;
        git.read(["checkout", "-q", "-B", "dynstack", &wanted])?;
        Ok(())
    }

    /// Makes the commits of the series if need be; returns the tag of the last.
    fn tag_series(&self, ctx: &Context, series: &Series) -> Result<String> {
        let tag = series_tag(series)?;
        let name = format!("refs/tags/{tag}");
        if !self.git().succeeds(["rev-parse", "-q", "--verify", &name]) {
            self.apply(ctx, series, &tag)?;
        }
        Ok(tag)
    }

    /// Makes the commits in a second work tree that holds only the files the
    /// series touches: the tree itself changes once, and only if all applies.
    fn apply(&self, ctx: &Context, series: &Series, tag: &str) -> Result<()> {
        let dir = self.dir.with_extension("am");
        if dir.exists() {
            fs::remove_dir_all(&dir)?;
        }
        let side = self.add_work_tree(&dir)?;
        let result = select_files(&side, series)
            .and_then(|()| apply_mails(ctx, &side, series))
            .and_then(|()| side.read(["tag", tag]));
        self.git()
            .read(["worktree", "remove", "--force", utf8(&dir)?])?;
        result.map(drop)
    }

    /// A work tree at `dir`, with nothing in it yet.
    pub fn add_work_tree(&self, dir: &Path) -> Result<Git> {
        self.git().read([
            "worktree",
            "add",
            "-q",
            // One that was removed without telling git is no hindrance.
            "--force",
            "--detach",
            "--no-checkout",
            utf8(dir)?,
            "base",
        ])?;
        Ok(Git::at(dir))
    }
}

/// Records that HEAD of `git` is what `series` was written from.
pub fn mark_series(git: &Git, series: &Series) -> Result<()> {
    git.read(["tag", "-f", &series_tag(series)?]).map(drop)
}

fn utf8(path: &Path) -> Result<&str> {
    path.to_str().context("the path of the cache is not UTF-8")
}

fn series_tag(series: &Series) -> Result<String> {
    Ok(format!("series-{}", series.key()?))
}

fn commit_base(ctx: &Context, dir: &Path) -> Result<()> {
    let git = Git::at(dir);
    git.read(["init", "-q", "-b", "dynstack"])?;
    // Forced: the kernel's own .gitignore, or that of a directory above, must not drop files.
    let mut add = git.command(["add", "-Afv", "."]);
    progress::run(
        "record the kernel source",
        &ctx.log("record"),
        None,
        &mut add,
    )?;
    git.read(["commit", "-q", "-m", "Base"])?;
    git.read(["tag", "base"])?;
    Ok(())
}

fn select_files(side: &Git, series: &Series) -> Result<()> {
    let mut patterns = String::from("/Makefile\n");
    for patch in &series.patches {
        let mut numstat = side.command(["apply", "--numstat"]);
        for line in process::read(numstat.arg(patch))?.lines() {
            let file = line.rsplit('\t').next().unwrap_or_default();
            patterns.push_str(&format!("/{file}\n"));
        }
    }
    let mut select = side.command(["sparse-checkout", "set", "--no-cone", "--stdin"]);
    process::feed(&mut select, &patterns)?;
    side.read(["checkout", "-q", "base"]).map(drop)
}

fn apply_mails(ctx: &Context, side: &Git, series: &Series) -> Result<()> {
    if series.patches.is_empty() {
        return Ok(());
    }
    let mut am = side.command(["am", "--committer-date-is-author-date"]);
    am.args(&series.patches);
    let log = ctx.log("am");
    let applied = progress::run(
        "apply the series",
        &log,
        Some(series.patches.len() as u64),
        &mut am,
    );
    if applied.is_err() {
        let failure = describe_conflict(&fs::read_to_string(&log)?);
        bail!("the series does not apply: {failure}; the tree is as it was");
    }
    Ok(())
}

/// Which patch and which file git am stopped at.
fn describe_conflict(output: &str) -> String {
    let files: Vec<_> = output
        .lines()
        .filter_map(|line| line.strip_prefix("error: "))
        .filter_map(|line| {
            line.strip_suffix(": patch does not apply")
                .or_else(|| line.strip_suffix(": does not exist in index"))
                .or_else(|| line.strip_suffix(": already exists in index"))
        })
        .collect();
    let patch = output
        .lines()
        .find_map(|line| line.strip_prefix("Patch failed at "));
    match (patch, files.as_slice()) {
        (Some(patch), []) => format!("patch {patch}"),
        (Some(patch), files) => format!("patch {patch}, file {}", files.join(", ")),
        (None, _) => "git am failed".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conflict_names_patch_and_file() {
        let output = "Applying: fork: Do x\n\
                      error: patch failed: kernel/fork.c:10\n\
                      error: kernel/fork.c: patch does not apply\n\
                      Patch failed at 0002 fork: Do x\n\
                      hint: Use 'git am --show-current-patch=diff' to see the failed patch\n";
        assert_eq!(
            describe_conflict(output),
            "patch 0002 fork: Do x, file kernel/fork.c"
        );
    }
}
