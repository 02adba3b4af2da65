// SPDX-License-Identifier: GPL-2.0
//! A disc that a BIOS boots a kernel from.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::process;

/// The boot loader and its library.
pub const LOADER: &str = "/usr/lib/ISOLINUX/isolinux.bin";
pub const LIBRARY: &str = "/usr/lib/syslinux/modules/bios/ldlinux.c32";
/// Writes the disc.
pub const XORRISO: &str = "xorriso";

/// Makes `dir`/boot.iso with the kernel `image`, its `initrd` and `arguments`.
pub fn make(dir: &Path, image: &Path, initrd: &Path, arguments: &str) -> Result<PathBuf> {
    let root = dir.join("disc");
    fs::create_dir_all(&root)?;
    let files = [
        (Path::new(LOADER), "isolinux.bin"),
        (Path::new(LIBRARY), "ldlinux.c32"),
        (image, "bzImage"),
        (initrd, "initrd"),
    ];
    for (from, name) in files {
        fs::copy(from, root.join(name))
            .with_context(|| format!("cannot copy {}", from.display()))?;
    }
    let config = format!(
        "default linux\nprompt 0\nlabel linux\n\
         kernel /bzImage\ninitrd /initrd\nappend {arguments}\n"
    );
    fs::write(root.join("isolinux.cfg"), config)?;

    let disc = dir.join("boot.iso");
    let mut xorriso = Command::new(XORRISO);
    xorriso
        .args(["-as", "mkisofs", "-quiet", "-b", "isolinux.bin"])
        .args(["-c", "boot.cat", "-no-emul-boot", "-boot-load-size", "4"])
        .args(["-boot-info-table", "-o"])
        .args([&disc, &root]);
    process::read(&mut xorriso)?;
    Ok(disc)
}
