// SPDX-License-Identifier: GPL-2.0
//! patches/: the series as files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::hash::Hash;

/// The patches in the order in which they apply.
pub struct Series {
    pub patches: Vec<PathBuf>,
}

impl Series {
    /// Reads patches/series; without the file the series is empty.
    pub fn read(dir: &Path) -> Result<Self> {
        let index = dir.join("series");
        let text = if index.exists() {
            fs::read_to_string(&index)?
        } else {
            String::new()
        };
        let patches: Vec<_> = parse_index(&text).map(|name| dir.join(name)).collect();
        for patch in &patches {
            ensure!(
                patch.is_file(),
                "{} names {}, which is missing",
                index.display(),
                patch.display()
            );
        }
        for patch in patch_files(dir)? {
            ensure!(
                patches.contains(&patch),
                "{} is not named in {}",
                patch.display(),
                index.display()
            );
        }
        Ok(Self { patches })
    }

    /// A short name for exactly these patches in this order.
    pub fn key(&self) -> Result<String> {
        let mut hash = Hash::default();
        for patch in &self.patches {
            hash.file(patch)?;
        }
        Ok(hash.key())
    }
}

/// All *.patch files of `dir`, in the order of their names.
pub fn patch_files(dir: &Path) -> Result<Vec<PathBuf>> {
    if !dir.exists() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()))? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "patch")
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn parse_index(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_skips_comments_and_blank_lines() {
        let names: Vec<_> = parse_index("# order\n\n0002-b.patch\n 0001-a.patch \n").collect();
        assert_eq!(names, ["0002-b.patch", "0001-a.patch"]);
    }
}
