// SPDX-License-Identifier: GPL-2.0
//! git in a directory, the same for everybody: no configuration of the user or
//! the machine, and one neutral identity, so that equal input gives equal commits.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use crate::process;

pub const NAME: &str = "dynstack developers";
pub const EMAIL: &str = "dynstack@localhost";

/// The date of the commit that holds the base source.
const BASE_DATE: &str = "2026-01-01T00:00:00+00:00";

pub struct Git {
    dir: PathBuf,
}

impl Git {
    pub fn at(dir: &Path) -> Self {
        Self {
            dir: dir.to_path_buf(),
        }
    }

    /// The root of a repository, not just a directory inside one.
    pub fn is_repository(&self) -> bool {
        self.dir.join(".git").exists()
    }

    pub fn command<const N: usize>(&self, args: [&str; N]) -> Command {
        let mut command = Command::new("git");
        for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
            command.env_remove(variable);
        }
        command
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", NAME)
            .env("GIT_AUTHOR_EMAIL", EMAIL)
            .env("GIT_AUTHOR_DATE", BASE_DATE)
            .env("GIT_COMMITTER_NAME", NAME)
            .env("GIT_COMMITTER_EMAIL", EMAIL)
            .env("GIT_COMMITTER_DATE", BASE_DATE)
            .args([
                "-c",
                "safe.directory=*",
                "-c",
                "gc.auto=0",
                "-c",
                "advice.mergeConflict=false",
                "-C",
            ])
            .arg(&self.dir)
            .args(args);
        command
    }

    pub fn read<const N: usize>(&self, args: [&str; N]) -> Result<String> {
        process::read(&mut self.command(args))
    }

    pub fn succeeds<const N: usize>(&self, args: [&str; N]) -> bool {
        process::succeeds(&mut self.command(args))
    }

    /// The commit that a series starts from: the tag `base`, or the only root.
    pub fn base(&self) -> Result<String> {
        if self.succeeds(["rev-parse", "-q", "--verify", "refs/tags/base"]) {
            return Ok("base".to_string());
        }
        let roots = self.read(["rev-list", "--max-parents=0", "HEAD"])?;
        ensure!(
            roots.lines().count() == 1,
            "{:?} has more than one root commit: tag the one that the series starts from with `git tag base`",
            self.dir
        );
        Ok(roots)
    }

    pub fn head(&self) -> Result<String> {
        self.read(["rev-parse", "HEAD"])
    }

    /// Whether tracked files differ from the last commit.
    pub fn is_dirty(&self) -> Result<bool> {
        let status = self.read(["status", "--porcelain", "--untracked-files=no"])?;
        Ok(!status.is_empty())
    }
}
