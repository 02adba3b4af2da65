// SPDX-License-Identifier: GPL-2.0
//! Where things are: the project, the cache, what the user points to.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

/// Options that every subcommand understands.
#[derive(clap::Args)]
pub struct Options {
    /// Kernel source: a directory, a git tree or a tarball, of 7.3.y
    #[arg(long, env = "LINUX", global = true)]
    linux: Option<OsString>,
    /// A built kernel tree: build only the modules, against it
    #[arg(long, env = "KDIR", global = true)]
    kdir: Option<OsString>,
}

pub struct Context {
    /// The checkout of this project.
    pub root: PathBuf,
    /// Everything that is made or downloaded is kept here.
    pub cache: PathBuf,
    pub linux: Option<PathBuf>,
    pub kdir: Option<PathBuf>,
}

impl Context {
    pub fn new(options: Options) -> Result<Self> {
        let root = find_root(&env::current_dir()?)?;
        let cache = cache_base()?.join("dynstack");
        std::fs::create_dir_all(&cache).with_context(|| format!("cannot create {cache:?}"))?;
        Ok(Self {
            root,
            cache: cache.canonicalize()?,
            linux: existing("LINUX", options.linux)?,
            kdir: existing("KDIR", options.kdir)?,
        })
    }

    /// For what builds kernels of its own.
    pub fn refuse_kdir(&self) -> Result<()> {
        ensure!(
            self.kdir.is_none(),
            "the kernel in KDIR is one, here many are built: unset KDIR"
        );
        Ok(())
    }

    pub fn patches(&self) -> PathBuf {
        self.root.join("patches")
    }

    pub fn downloads(&self) -> PathBuf {
        self.cache.join("download")
    }

    pub fn tools(&self) -> PathBuf {
        self.cache.join("tools")
    }

    /// Where numbers and plots are kept for the user.
    pub fn results(&self) -> Result<PathBuf> {
        let dir = self.cache.join("results");
        std::fs::create_dir_all(&dir).with_context(|| format!("cannot create {dir:?}"))?;
        Ok(dir)
    }

    /// What is in the cache under names that begin with `prefix`.
    pub fn cached(&self, prefix: &str) -> Result<Vec<PathBuf>> {
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(&self.cache)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(prefix) {
                paths.push(entry.path());
            }
        }
        paths.sort();
        Ok(paths)
    }

    /// The file that takes the complete output of a step.
    pub fn log(&self, step: &str) -> PathBuf {
        self.cache.join("logs").join(format!("{step}.log"))
    }
}

/// The closest directory above `start` that holds the series and its programs.
fn find_root(start: &Path) -> Result<PathBuf> {
    let found = start.ancestors().find(|dir| {
        dir.join("scripts/Cargo.toml").is_file() && dir.join("scripts/configs").is_dir()
    });
    match found {
        Some(dir) => Ok(dir.to_path_buf()),
        None => bail!("{start:?} is not inside a dynstack checkout"),
    }
}

fn cache_base() -> Result<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty());
    if let Some(dir) = set("XDG_CACHE_HOME") {
        let dir = PathBuf::from(dir);
        ensure!(
            dir.is_absolute(),
            "XDG_CACHE_HOME must be an absolute path, not {dir:?}"
        );
        return Ok(dir);
    }
    let home = set("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?;
    Ok(PathBuf::from(home).join(".cache"))
}

/// Checks a path that the user gave; an empty one counts as not given.
pub fn existing(name: &str, path: Option<OsString>) -> Result<Option<PathBuf>> {
    let path = path.filter(|path| !path.is_empty()).map(PathBuf::from);
    path.map(|path| {
        path.canonicalize()
            .with_context(|| format!("{name}={}", path.display()))
    })
    .transpose()
}
