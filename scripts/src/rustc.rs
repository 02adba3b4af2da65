// SPDX-License-Identifier: GPL-2.0
//! A Rust compiler that can build the kernel: one with the source of `core`.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process;

const CORE: &str = "lib/rustlib/src/rust/library/core/src/lib.rs";

pub struct Rustc {
    pub path: PathBuf,
    /// The first line of `rustc --version`, as the kernel records it.
    pub version: String,
    pub llvm_major: u32,
}

impl Rustc {
    /// The first one on PATH, then the distribution's own, which a rustup
    /// toolchain without `rust-src` may hide.
    pub fn find() -> Option<Self> {
        let path = env::var_os("PATH").unwrap_or_default();
        let mut dirs: Vec<_> = env::split_paths(&path).collect();
        dirs.push(PathBuf::from("/usr/bin"));
        dirs.iter().find_map(|dir| Self::probe(&dir.join("rustc")))
    }

    /// clippy for what this compiler builds, whether it is installed or not.
    pub fn clippy_driver(&self) -> PathBuf {
        self.path.with_file_name("clippy-driver")
    }

    /// For the tests in the documentation of the kernel crate.
    pub fn rustdoc(&self) -> PathBuf {
        self.path.with_file_name("rustdoc")
    }

    fn probe(program: &Path) -> Option<Self> {
        let sysroot = process::read(Command::new(program).args(["--print", "sysroot"])).ok()?;
        let sysroot = Path::new(&sysroot);
        if !sysroot.join(CORE).is_file() {
            return None;
        }
        // Not the proxy of rustup: what it stands for depends on the directory.
        let path = sysroot.join("bin/rustc");
        let verbose = process::read(Command::new(&path).args(["--version", "--verbose"])).ok()?;
        Some(Self {
            version: verbose.lines().next()?.to_string(),
            llvm_major: llvm_major(&verbose)?,
            path,
        })
    }
}

fn llvm_major(verbose: &str) -> Option<u32> {
    let version = verbose
        .lines()
        .find_map(|line| line.strip_prefix("LLVM version: "))?;
    version.split('.').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn llvm_major_is_read() {
        assert_eq!(llvm_major("rustc 1.96.0\nLLVM version: 22.1.8\n"), Some(22));
        assert_eq!(llvm_major("rustc 1.96.0\n"), None);
    }
}
