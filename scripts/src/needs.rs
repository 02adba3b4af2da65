// SPDX-License-Identifier: GPL-2.0
//! What the machine must have, each thing probed by what it can do.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::apt;
use crate::context::Context;
use crate::finding::{Finding, Mend};
use crate::llvm::Llvm;
use crate::process::{self, find_program};
use crate::program::Program;
use crate::rustc::Rustc;
use crate::vm::disc;

/// The emulator.
pub const QEMU: &str = "qemu-system-x86_64";

/// Older ones can keep a translation of code that another CPU changes meanwhile: a
/// guest that patches jump labels then dies of a stale int3. No probe shows a race,
/// so this goes by number. Mended by QEMU's commit deba78709ae8, "accel/tcg: Always
/// lock pages before translation".
const QEMU_WITHOUT_RACE: (u32, u32) = (8, 1);

/// Programs that only have to exist, and the packages that bring them.
const PROGRAMS: [(&str, &str); 17] = [
    ("bc", "bc"),
    ("bison", "bison"),
    ("busybox", "busybox-static"),
    ("ccache", "ccache"),
    ("cpio", "cpio"),
    ("depmod", "kmod"),
    ("flex", "flex"),
    ("gcc", "gcc"),
    ("git", "git"),
    ("ip", "iproute2"),
    ("make", "make"),
    ("perl", "perl"),
    ("rsync", "rsync"),
    ("shellcheck", "shellcheck"),
    ("tar", "tar"),
    ("udevadm", "udev"),
    ("xz", "xz-utils"),
];

/// Debian's releases get, beside their own Rust, a newer one (named -web) that
/// browsers are built with.
const CLIPPY: [&str; 2] = ["rust-web-clippy", "rust-clippy"];

const HEADERS: [(&str, &str); 2] = [("libelf.h", "libelf-dev"), ("openssl/ssl.h", "libssl-dev")];

/// Of these, clone3 and mm of the kernel's selftests make use.
const SELFTEST_HEADERS: [(&str, &str); 2] = [
    ("sys/capability.h", "libcap-dev"),
    ("numa.h", "libnuma-dev"),
];

pub fn probe(ctx: &Context) -> Vec<Finding> {
    let programs = PROGRAMS
        .iter()
        .map(|(program, package)| probe_program(program, package));
    let headers = HEADERS
        .iter()
        .map(|(header, package)| probe_header(header, package));
    let mut findings: Vec<_> = programs.chain(headers).collect();
    findings.push(probe_static_libc());
    findings.push(probe_python());
    findings.push(probe_qemu());
    findings.push(probe_cargo_tool("fmt", ["rustfmt-web", "rustfmt"]));
    findings.push(probe_cargo_tool("clippy", CLIPPY));
    let rustc = Rustc::find();
    findings.push(probe_rustc(rustc.as_ref()));
    if let Some(rustc) = rustc {
        findings.push(probe_clippy_driver(&rustc));
        findings.push(probe_llvm(rustc.llvm_major));
    }
    findings.extend(Program::ALL.map(|program| {
        Finding::new(program.name(), program.probe(ctx), || {
            Mend::Program(program)
        })
    }));
    findings
}

/// What it takes to make a disc that boots, beside the above.
pub fn probe_disc() -> Vec<Finding> {
    vec![
        probe_program(disc::XORRISO, "xorriso"),
        probe_file(disc::LOADER, "isolinux"),
        probe_file(disc::LIBRARY, "syslinux-common"),
    ]
}

/// What it takes to build plugins of GCC: their headers, and its compiler for C++.
pub fn probe_gcc_plugins() -> Vec<Finding> {
    let ask = |option| process::read(Command::new("gcc").arg(option)).unwrap_or_default();
    let headers = format!("-I{}/include", ask("-print-file-name=plugin"));
    let source = "#include <gcc-plugin.h>\n";
    let found = compiles("g++", &["-fsyntax-only", &headers, "-x", "c++"], source);
    let state = match found {
        true => Ok("found"),
        false => Err("g++ does not find it"),
    };
    let packages = || {
        let version = ask("-dumpversion");
        let major = version.split('.').next().unwrap_or_default();
        vec!["g++".to_string(), format!("gcc-{major}-plugin-dev")]
    };
    vec![Finding::new("gcc-plugin.h", state, || {
        Mend::Packages(packages())
    })]
}

/// What it takes to build the kernel's selftests.
pub fn probe_selftests() -> Vec<Finding> {
    let headers = SELFTEST_HEADERS.iter();
    headers
        .map(|(header, package)| probe_header(header, package))
        .collect()
}

/// A Python that can make virtual environments.
pub fn python() -> Option<PathBuf> {
    let candidates = [
        find_program("python3"),
        Some(PathBuf::from("/usr/bin/python3")),
    ];
    let able = |python: &PathBuf| {
        process::succeeds(Command::new(python).args(["-c", "import ensurepip, venv"]))
    };
    candidates.into_iter().flatten().find(able)
}

fn probe_program(program: &str, package: &str) -> Finding {
    let found = find_program(program).map(|path| path.display().to_string());
    Finding::new(program, found.ok_or("not found"), || Mend::package(package))
}

fn probe_file(path: &str, package: &str) -> Finding {
    let state = match Path::new(path).is_file() {
        true => Ok("found"),
        false => Err("not found"),
    };
    Finding::new(path, state, || Mend::package(package))
}

/// Whether `compiler` succeeds with `options` on the program `source`.
fn compiles(compiler: &str, options: &[&str], source: &str) -> bool {
    let mut command = Command::new(compiler);
    command.args(options).args(["-o", "/dev/null", "-"]);
    process::feed(&mut command, source).is_ok()
}

fn probe_header(header: &str, package: &str) -> Finding {
    let found = compiles("gcc", &["-c", "-x", "c"], &format!("#include <{header}>\n"));
    let state = if found {
        Ok("found")
    } else {
        Err("gcc does not find it")
    };
    Finding::new(header, state, || Mend::package(package))
}

fn probe_static_libc() -> Finding {
    let links = compiles(
        "gcc",
        &["-static", "-x", "c"],
        "int main(void) { return 0; }\n",
    );
    let state = if links {
        Ok("links")
    } else {
        Err("gcc -static does not link")
    };
    Finding::new("static libc", state, || Mend::package("libc6-dev"))
}

fn probe_python() -> Finding {
    let found = python().map(|path| path.display().to_string());
    let state = found.ok_or("no python3 has ensurepip and venv");
    Finding::new("python3 venv", state, || Mend::package("python3-venv"))
}

fn probe_qemu() -> Finding {
    let package = "qemu-system-x86";
    let ask = |option, word| process::read(Command::new(QEMU).args([option, word]));
    let lists = |option, word| ask(option, "help").is_ok_and(|text| text.contains(word));
    if find_program(QEMU).is_none() {
        return Finding::new(QEMU, Err::<&str, _>("not found"), || Mend::package(package));
    }
    let version = ask("-version", "")
        .ok()
        .and_then(|text| qemu_version(&text));
    let state = if version.is_none_or(|version| version < QEMU_WITHOUT_RACE) {
        let (major, minor) = QEMU_WITHOUT_RACE;
        Err(format!(
            "older than {major}.{minor}: runs code that another CPU has just patched"
        ))
    } else if !lists("-accel", "tcg") {
        Err("has no software emulation (-accel tcg)".to_string())
    } else if !lists("-device", "virtio-9p-pci") {
        Err("cannot share directories (virtio-9p-pci)".to_string())
    } else {
        Ok("emulates, shares directories")
    };
    Finding::new(QEMU, state, || Mend::Backport(package))
}

/// Major and minor number in what the emulator says of itself.
fn qemu_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split_once("version ")?.1.split('.');
    let mut number = || numbers.next()?.parse().ok();
    Some((number()?, number()?))
}

/// The first one that the sources of the machine have.
fn first_known<const N: usize>(packages: [&str; N]) -> String {
    let known = packages.iter().find(|package| apt::knows(package));
    known.unwrap_or(&packages[N - 1]).to_string()
}

fn probe_cargo_tool(tool: &str, packages: [&str; 2]) -> Finding {
    let version = process::read(Command::new("cargo").args([tool, "--version"]));
    let state = version.map_err(|_| "cargo cannot run it");
    Finding::new(format!("cargo {tool}"), state, || {
        Mend::Packages(vec![first_known(packages)])
    })
}

fn probe_rustc(rustc: Option<&Rustc>) -> Finding {
    let found = rustc.map(|rustc| format!("{}: {}", rustc.path.display(), rustc.version));
    let state = found.ok_or("no rustc has the source of core (rust-src)");
    Finding::new("rustc for the kernel", state, || {
        let names = [["rustc-web", "rustc"], ["rust-web-src", "rust-src"]];
        Mend::Packages(names.map(first_known).into())
    })
}

/// That of rustup, which may be what cargo runs, does not fit another rustc.
fn probe_clippy_driver(rustc: &Rustc) -> Finding {
    let driver = rustc.clippy_driver();
    let state = match driver.is_file() {
        true => Ok(driver.display().to_string()),
        false => Err(format!("no {}", driver.display())),
    };
    Finding::new("clippy for the kernel", state, || {
        if driver.starts_with("/usr/bin") {
            Mend::Packages(vec![first_known(CLIPPY)])
        } else {
            Mend::ByHand("rustup component add clippy")
        }
    })
}

fn probe_llvm(wanted: u32) -> Finding {
    let Some(llvm) = Llvm::choose(wanted) else {
        let state: Result<&str, _> = Err("no clang-N, neither installed nor packaged");
        return Finding::new("LLVM", state, || {
            Mend::ByHand("install clang-N, lld-N and llvm-N")
        });
    };
    let missing = llvm.missing();
    let state = if missing.is_empty() {
        Ok(format!("{} (rustc has {wanted})", llvm.major))
    } else {
        Err(format!("not found: {}", missing.join(" ")))
    };
    Finding::new("LLVM", state, || Mend::Packages(llvm.packages()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn qemu_version_is_the_number_before_the_package() {
        let text = "QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7)\nCopyright";
        assert_eq!(qemu_version(text), Some((7, 2)));
        assert!(qemu_version(text).unwrap() < QEMU_WITHOUT_RACE);
        assert_eq!(qemu_version("QEMU emulator version 10.0.2"), Some((10, 0)));
        assert_eq!(qemu_version("no such option"), None);
    }
}
