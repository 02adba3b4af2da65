// SPDX-License-Identifier: GPL-2.0
//! Which LLVM builds the kernel: preferably that of the Rust compiler.

use std::path::PathBuf;

use crate::apt;
use crate::process::find_program;

/// A set of versioned LLVM tools, installed or not.
pub struct Llvm {
    pub major: u32,
}

impl Llvm {
    pub fn choose(wanted: u32) -> Option<Self> {
        if find_program(&format!("clang-{wanted}")).is_some() {
            return Some(Self { major: wanted });
        }
        let packages = apt::names("clang-");
        let majors: Vec<_> = packages.iter().filter_map(|name| major(name)).collect();
        pick(wanted, &majors).map(|major| Self { major })
    }

    /// What the kernel's LLVM= takes.
    pub fn suffix(&self) -> String {
        format!("-{}", self.major)
    }

    /// The directory that LIBCLANG_PATH takes.
    pub fn libclang(&self) -> PathBuf {
        PathBuf::from(format!("/usr/lib/llvm-{}/lib", self.major))
    }

    pub fn packages(&self) -> Vec<String> {
        ["clang", "lld", "llvm"]
            .map(|name| format!("{name}{}", self.suffix()))
            .into()
    }

    pub fn missing(&self) -> Vec<String> {
        let names = ["clang", "ld.lld", "llvm-nm", "llvm-objcopy", "llvm-strip"];
        let programs = names.map(|name| format!("{name}{}", self.suffix()));
        programs
            .into_iter()
            .filter(|program| find_program(program).is_none())
            .collect()
    }
}

fn major(package: &str) -> Option<u32> {
    package.strip_prefix("clang-")?.parse().ok()
}

fn pick(wanted: u32, majors: &[u32]) -> Option<u32> {
    majors
        .iter()
        .find(|major| **major == wanted)
        .or(majors.iter().max())
        .copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn llvm_of_rust_is_preferred() {
        assert_eq!(pick(19, &[14, 19, 22]), Some(19));
        assert_eq!(pick(22, &[14, 16, 19]), Some(19));
        assert_eq!(pick(22, &[]), None);
    }

    #[test]
    fn only_plain_versions_count() {
        assert_eq!(major("clang-22"), Some(22));
        assert_eq!(major("clang-22-doc"), None);
    }
}
