// SPDX-License-Identifier: GPL-2.0
//! Writes patches/ from the commits of a kernel tree, byte for byte the same
//! for the same commits, whoever does it and where.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::context::Context;
use crate::git::{EMAIL, Git, NAME};
use crate::outcome::Outcome;
use crate::series::{Series, patch_files};
use crate::source::Version;
use crate::tree::{self, Tree};

#[derive(clap::Args)]
pub struct Args {
    /// The kernel tree whose commits become the series [default: the cached tree]
    #[arg(long, env = "TREE")]
    tree: Option<OsString>,
}

pub fn run(ctx: &Context, args: &Args) -> Result<Outcome> {
    let given = args.tree.as_ref().filter(|dir| !dir.is_empty());
    let dir = match given {
        Some(dir) => PathBuf::from(dir),
        None => Tree::unpack(ctx)?.dir,
    };
    let git = Git::at(&dir);
    ensure!(git.is_repository(), "{} is not a git tree", dir.display());
    if git.is_dirty()? {
        eprintln!(
            "note: {} has uncommitted changes, which stay out",
            dir.display()
        );
    }

    let base = git.base()?;
    let version = Version::parse(&git.read(["show", &format!("{base}:Makefile")])?)?;
    let out = ctx.patches();
    fs::create_dir_all(&out)?;
    let names = write_patches(&git, &base, &out)?;
    fs::write(out.join("series"), lines(&names))?;
    fs::write(out.join("BASE"), format!("{version}\n"))?;
    if given.is_none() {
        tree::mark_series(&git, &Series::read(&out)?)?;
    }
    println!("{}: {} patches on {version}", out.display(), names.len());
    Ok(Outcome::Pass)
}

/// Replaces the patches in `out`; returns the names of the new ones in order.
fn write_patches(git: &Git, base: &str, out: &Path) -> Result<Vec<String>> {
    for old in patch_files(out)? {
        fs::remove_file(old)?;
    }
    let written = git.read([
        "format-patch",
        "--no-signature",
        "--zero-commit",
        "--full-index",
        "--no-numbered",
        "--no-renames",
        "-o",
        out.to_str()
            .context("the path of the project is not UTF-8")?,
        &format!("{base}..HEAD"),
    ])?;
    let mut names = Vec::new();
    for file in written.lines() {
        let path = Path::new(file);
        let mail = fs::read_to_string(path).with_context(|| format!("{file} is not UTF-8"))?;
        fs::write(path, with_neutral_author(&mail))?;
        let name = path
            .file_name()
            .context("git named a patch without a file name")?;
        names.push(name.to_string_lossy().into_owned());
    }
    Ok(names)
}

/// Replaces the author in the header of a mail, and nothing in its body.
fn with_neutral_author(mail: &str) -> String {
    let (header, body) = mail.split_once("\n\n").unwrap_or((mail, ""));
    let mut author_continues = false;
    let mut lines = Vec::new();
    for line in header.lines() {
        if line.starts_with("From: ") {
            author_continues = true;
            lines.push(format!("From: {NAME} <{EMAIL}>"));
        } else if !(author_continues && line.starts_with(' ')) {
            author_continues = false;
            lines.push(line.to_string());
        }
    }
    format!("{}\n\n{body}", lines.join("\n"))
}

fn lines(names: &[String]) -> String {
    names.iter().map(|name| format!("{name}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn author_of_the_header_is_replaced() {
        let mail = "From 0000 Mon Sep 17 00:00:00 2001\n\
                    From: =?UTF-8?q?A=20name?=\n <a@example.org>\n\
                    Date: today\nSubject: [PATCH] mm: Do x\n\nFrom: stays\n\nText.\n";
        let neutral = with_neutral_author(mail);
        assert_eq!(
            neutral,
            "From 0000 Mon Sep 17 00:00:00 2001\n\
             From: dynstack developers <dynstack@localhost>\n\
             Date: today\nSubject: [PATCH] mm: Do x\n\nFrom: stays\n\nText.\n"
        );
        assert_eq!(with_neutral_author(&neutral), neutral);
    }
}
