// SPDX-License-Identifier: GPL-2.0
//! A guest of its own: busybox, one script, and what that uses.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::archive;
use crate::context::Context;
use crate::process;

/// Process 1, which runs the script.
pub const INIT: &str = "init";
/// Folders that init needs; those of files are added.
const FOLDERS: [&str; 6] = ["bin", "dev", "proc", "sys", "tmp", "lib"];

pub struct Initrd {
    /// Where it is put together.
    dir: PathBuf,
    /// Each with its name in the guest.
    files: Vec<(PathBuf, String)>,
}

impl Initrd {
    /// With `script`, one of scripts/guest.
    pub fn new(ctx: &Context, dir: &Path, script: &str) -> Result<Self> {
        let busybox = process::find_program("busybox").context("no busybox")?;
        let guest = ctx.root.join("scripts/guest");
        let mut initrd = Self {
            dir: dir.to_path_buf(),
            files: Vec::new(),
        };
        initrd.add(&guest.join("init.sh"), INIT);
        initrd.add(&guest.join(script), "script.sh");
        initrd.add(&busybox, "bin/busybox");
        Ok(initrd)
    }

    /// `name` is a path in the guest, without the slash before it.
    pub fn add(&mut self, file: &Path, name: &str) {
        self.files.push((file.to_path_buf(), name.to_string()));
    }

    /// All files of `dir` into the folder `name`.
    pub fn add_folder(&mut self, dir: &Path, name: &str) -> Result<()> {
        let read = || fs::read_dir(dir).with_context(|| format!("cannot read {}", dir.display()));
        for entry in read()? {
            let entry = entry?;
            let file = entry.file_name().to_string_lossy().into_owned();
            self.add(&entry.path(), &format!("{name}/{file}"));
        }
        Ok(())
    }

    /// Writes the archive.
    pub fn pack(mut self) -> Result<PathBuf> {
        self.files.sort_by(|(_, a), (_, b)| a.cmp(b));
        let root = self.dir.join("root");
        let mut names: Vec<_> = FOLDERS.map(str::to_string).into();
        for name in &names {
            fs::create_dir_all(root.join(name))?;
        }
        for (file, name) in self.files {
            if let Some((folder, _)) = name.rsplit_once('/')
                && !names.iter().any(|known| known == folder)
            {
                fs::create_dir_all(root.join(folder))?;
                names.push(folder.to_string());
            }
            fs::copy(&file, root.join(&name))
                .with_context(|| format!("cannot copy {}", file.display()))?;
            names.push(name);
        }
        archive::pack(&root, &names, &self.dir.join("initrd.cpio"))
    }
}
