// SPDX-License-Identifier: GPL-2.0
//! The kernel source that the series is applied to: Debian's, or the user's own.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use crate::apt;
use crate::context::Context;
use crate::git::Git;
use crate::hash::Hash;
use crate::progress;

/// The line of kernels that the series is made for.
const VERSION: &str = "7.3";

pub enum Source {
    /// A git tree: its HEAD, so that uncommitted changes stay out.
    Git(PathBuf),
    Directory(PathBuf),
    Tarball(PathBuf),
}

impl Source {
    /// The source that LINUX names, or Debian's, downloaded when it is not there.
    pub fn find(ctx: &Context) -> Result<Self> {
        let Some(path) = &ctx.linux else {
            return Ok(Self::Tarball(debian_tarball(ctx)?));
        };
        let path = path.clone();
        if path.is_file() {
            return Ok(Self::Tarball(path));
        }
        if Git::at(&path).is_repository() {
            return Ok(Self::Git(path));
        }
        ensure!(
            !path.join(".config").exists() && !path.join("include/config").exists(),
            "LINUX={} was built in place; run `make mrproper` there first",
            path.display()
        );
        Ok(Self::Directory(path))
    }

    /// A short name for the contents.
    pub fn key(&self) -> Result<String> {
        let mut hash = Hash::default();
        match self {
            Self::Git(dir) => hash.text(&Git::at(dir).read(["rev-parse", "HEAD^{tree}"])?),
            Self::Directory(dir) => hash_directory(&mut hash, dir)?,
            Self::Tarball(file) => hash.file(file)?,
        }
        Ok(hash.key())
    }

    /// Puts the source into the empty directory `dir`.
    pub fn extract(&self, ctx: &Context, dir: &Path) -> Result<()> {
        let mut command = match self {
            Self::Git(from) => {
                let mut command = Command::new("sh");
                command
                    .args([
                        "-c",
                        r#"git -c safe.directory='*' -C "$1" archive HEAD | tar -xvf - -C "$2""#,
                    ])
                    .arg("sh")
                    .args([from, dir]);
                command
            }
            Self::Directory(from) => {
                let mut command = Command::new("cp");
                command
                    .args(["-av", "--reflink=auto"])
                    .arg(from.join("."))
                    .arg(dir);
                command
            }
            Self::Tarball(file) => {
                let mut command = Command::new("tar");
                command
                    .arg("-xvf")
                    .arg(file)
                    .arg("-C")
                    .arg(dir)
                    .arg("--strip-components=1");
                command
            }
        };
        progress::run(
            "unpack the kernel source",
            &ctx.log("unpack"),
            None,
            &mut command,
        )?;
        let makefile = fs::read_to_string(dir.join("Makefile"))
            .context("LINUX holds no kernel source: no Makefile at its top")?;
        let version = Version::parse(&makefile)?;
        ensure!(
            format!("{}.{}", version.major, version.minor) == VERSION,
            "the series is for {VERSION}.y, the source is {version}"
        );
        Ok(())
    }
}

fn debian_tarball(ctx: &Context) -> Result<PathBuf> {
    let name = format!("linux-source-{VERSION}");
    let file = format!("usr/src/{name}.tar.xz");
    for place in [Path::new("/"), &ctx.downloads()] {
        let tarball = place.join(&file);
        if tarball.is_file() {
            return Ok(tarball);
        }
    }
    let package = apt::download(ctx, &name).context("LINUX= takes a source of your own")?;
    let mut unpack = Command::new("dpkg-deb");
    unpack.arg("-x").arg(&package).arg(ctx.downloads());
    progress::run(
        "open the source package",
        &ctx.log("source"),
        None,
        &mut unpack,
    )?;
    fs::remove_file(package)?;
    let tarball = ctx.downloads().join(&file);
    if !tarball.is_file() {
        bail!("the package {name} holds no /{file}");
    }
    Ok(tarball)
}

/// Names, sizes and times stand for the contents of 90 000 files.
fn hash_directory(hash: &mut Hash, dir: &Path) -> Result<()> {
    let mut entries = fs::read_dir(dir)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(|entry| entry.file_name());
    for entry in entries {
        let metadata = entry.metadata()?;
        hash.text(&entry.path().to_string_lossy());
        if metadata.is_dir() {
            hash_directory(hash, &entry.path())?;
        } else {
            hash.text(&format!(
                "{} {} {}",
                metadata.len(),
                metadata.mtime(),
                metadata.mtime_nsec()
            ));
        }
    }
    Ok(())
}

/// The version that the top Makefile of a kernel states.
#[derive(Debug, PartialEq, Eq)]
pub struct Version {
    major: u32,
    minor: u32,
    patch: u32,
}

impl Version {
    pub fn parse(makefile: &str) -> Result<Self> {
        let field = |name: &str| -> Result<u32> {
            makefile
                .lines()
                .filter_map(|line| line.split_once('='))
                .find(|(key, _)| key.trim() == name)
                .and_then(|(_, value)| value.trim().parse().ok())
                .with_context(|| format!("not the top Makefile of a kernel: no {name}"))
        };
        Ok(Self {
            major: field("VERSION")?,
            minor: field("PATCHLEVEL")?,
            patch: field("SUBLEVEL")?,
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_is_read_from_the_makefile() {
        let makefile = "# x\nVERSION = 7\nPATCHLEVEL = 3\nSUBLEVEL = 4\nEXTRAVERSION =\n";
        assert_eq!(Version::parse(makefile).unwrap().to_string(), "7.3.4");
    }

    #[test]
    fn other_makefiles_are_refused() {
        let error = Version::parse("all:\n\ttrue\n").unwrap_err();
        assert!(error.to_string().contains("no VERSION"));
    }
}
