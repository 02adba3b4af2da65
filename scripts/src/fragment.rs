// SPDX-License-Identifier: GPL-2.0
//! Configuration fragments: each makes, on top of the usual configuration, a
//! kernel of its own.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::context::Context;
use crate::method;

const SUFFIX: &str = ".config";
/// The one below all others.
const USUAL: &str = "kernel";

/// For subcommands that work on several kernels.
#[derive(clap::Args)]
// Flattened into other arguments of that name, each of which makes a group.
#[group(skip)]
pub struct Args {
    /// Fragments of scripts/configs, by name, each for a kernel of its own;
    /// the usual kernel if none is given
    #[arg(
        long = "config",
        env = "CONFIGS",
        value_name = "NAME",
        value_delimiter = ' '
    )]
    names: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment {
    pub name: String,
    pub path: PathBuf,
}

impl Args {
    /// One entry for each kernel asked for; None is the usual one.
    pub fn select(&self, ctx: &Context) -> Result<Vec<Option<Fragment>>> {
        let asked = method::words(&self.names);
        if asked.is_empty() {
            return Ok(vec![None]);
        }
        ensure!(
            ctx.kdir.is_none(),
            "the kernel in KDIR has the configuration that it has: give KDIR or CONFIGS"
        );
        let asked = asked.iter();
        asked
            .map(|name| Fragment::find(&directory(ctx), name).map(Some))
            .collect()
    }
}

impl Fragment {
    pub fn named(ctx: &Context, name: &str) -> Result<Self> {
        Self::find(&directory(ctx), name)
    }

    fn find(dir: &Path, name: &str) -> Result<Self> {
        let mut known = all(dir)?;
        let names: Vec<_> = known.keys().cloned().collect();
        let path = known.remove(name).with_context(|| {
            format!(
                "unknown configuration {name:?}, expected some of: {}",
                names.join(" ")
            )
        })?;
        Ok(Self {
            name: name.to_string(),
            path,
        })
    }
}

/// For the name of a guest or a column: which kernel it is, if not the usual one.
pub fn suffix(fragment: Option<&Fragment>) -> String {
    fragment.map_or_else(String::new, |fragment| format!(", {}", fragment.name))
}

/// The configuration below all fragments.
pub fn usual(ctx: &Context) -> PathBuf {
    directory(ctx).join(format!("{USUAL}{SUFFIX}"))
}

fn directory(ctx: &Context) -> PathBuf {
    ctx.root.join("scripts/configs")
}

fn all(dir: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let mut known = BTreeMap::new();
    for entry in fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let entry = entry?;
        let file = entry.file_name().to_string_lossy().into_owned();
        if let Some(name) = file.strip_suffix(SUFFIX).filter(|name| *name != USUAL) {
            known.insert(name.to_string(), entry.path());
        }
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(name: &str) -> Result<Fragment> {
        // Of the checkout that is tested, which need not be the one that was built.
        let dir = std::env::var("CARGO_MANIFEST_DIR").unwrap();
        Fragment::find(&Path::new(&dir).join("configs"), name)
    }

    #[test]
    fn fragments_are_files_of_configs() {
        let debug = find("debug").unwrap();
        assert!(debug.path.ends_with("scripts/configs/debug.config"));
        assert_eq!(debug.name, "debug");
    }

    #[test]
    fn unknown_names_the_known_and_not_the_usual() {
        for name in ["kernel", "debug.config", "", "../configs/debug"] {
            let error = find(name).unwrap_err().to_string();
            let (what, known) = error.split_once(", expected some of: ").unwrap();
            assert_eq!(what, format!("unknown configuration {name:?}"));
            let known: Vec<_> = known.split(' ').collect();
            assert!(known.contains(&"kasan"), "{error}");
            assert!(!known.contains(&USUAL), "{error}");
        }
    }
}
