// SPDX-License-Identifier: GPL-2.0
//! What the machine must have, each thing probed by what it can do.

use std::fmt;
use std::path::PathBuf;
use std::process::Command;

use crate::apt;
use crate::context::Context;
use crate::llvm::Llvm;
use crate::process::{self, find_program};
use crate::program::Program;
use crate::rustc::Rustc;

/// Programs that only have to exist, and the packages that bring them.
const PROGRAMS: [(&str, &str); 16] = [
    ("bc", "bc"),
    ("bison", "bison"),
    ("busybox", "busybox-static"),
    ("ccache", "ccache"),
    ("cpio", "cpio"),
    ("depmod", "kmod"),
    ("flex", "flex"),
    ("gcc", "gcc"),
    ("git", "git"),
    ("make", "make"),
    ("perl", "perl"),
    ("rsync", "rsync"),
    ("shellcheck", "shellcheck"),
    ("tar", "tar"),
    ("udevadm", "udev"),
    ("xz", "xz-utils"),
];

const HEADERS: [(&str, &str); 2] = [("libelf.h", "libelf-dev"), ("openssl/ssl.h", "libssl-dev")];

/// One thing that is there, with what was found, or is not, with what is wrong.
pub struct Need {
    pub what: String,
    pub state: Result<String, String>,
    pub mend: Mend,
}

pub enum Mend {
    Packages(Vec<String>),
    Program(Program),
}

impl fmt::Display for Mend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Packages(packages) => write!(f, "{}", apt::install_command(packages)),
            Self::Program(_) => write!(f, "make setup"),
        }
    }
}

pub fn probe(ctx: &Context) -> Vec<Need> {
    let programs = PROGRAMS
        .iter()
        .map(|(program, package)| probe_program(program, package));
    let headers = HEADERS
        .iter()
        .map(|(header, package)| probe_header(header, package));
    let mut needs: Vec<_> = programs.chain(headers).collect();
    needs.push(probe_static_libc());
    needs.push(probe_python());
    needs.push(probe_qemu());
    let rustc = Rustc::find();
    needs.push(probe_rustc(rustc.as_ref()));
    needs.push(probe_cargo_tool(
        "fmt",
        rust_package("rustfmt-web", "rustfmt"),
    ));
    needs.push(probe_cargo_tool(
        "clippy",
        rust_package("rust-web-clippy", "rust-clippy"),
    ));
    if let Some(rustc) = rustc {
        needs.push(probe_llvm(rustc.llvm_major));
    }
    needs.extend(Program::ALL.map(|program| Need {
        what: program.name().to_string(),
        state: program.probe(ctx),
        mend: Mend::Program(program),
    }));
    needs
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

fn packages<const N: usize>(names: [&str; N]) -> Mend {
    Mend::Packages(names.map(str::to_string).into())
}

fn probe_program(program: &str, package: &str) -> Need {
    let state = match find_program(program) {
        Some(path) => Ok(path.display().to_string()),
        None => Err("not found".to_string()),
    };
    Need {
        what: program.to_string(),
        state,
        mend: packages([package]),
    }
}

/// Whether gcc succeeds with `args` on the program `source`.
fn compiles(args: &[&str], source: &str) -> bool {
    let mut gcc = Command::new("gcc");
    gcc.args(args).args(["-x", "c", "-o", "/dev/null", "-"]);
    process::feed(&mut gcc, source).is_ok()
}

fn probe_header(header: &str, package: &str) -> Need {
    let state = if compiles(&["-c"], &format!("#include <{header}>\n")) {
        Ok("found".to_string())
    } else {
        Err("gcc does not find it".to_string())
    };
    Need {
        what: header.to_string(),
        state,
        mend: packages([package]),
    }
}

fn probe_static_libc() -> Need {
    let state = if compiles(&["-static"], "int main(void) { return 0; }\n") {
        Ok("links".to_string())
    } else {
        Err("gcc -static does not link".to_string())
    };
    Need {
        what: "static libc".to_string(),
        state,
        mend: packages(["libc6-dev"]),
    }
}

fn probe_python() -> Need {
    let state = match python() {
        Some(path) => Ok(path.display().to_string()),
        None => Err("no python3 has ensurepip and venv".to_string()),
    };
    Need {
        what: "python3 venv".to_string(),
        state,
        mend: packages(["python3-venv"]),
    }
}

fn probe_qemu() -> Need {
    let qemu = "qemu-system-x86_64";
    let lists = |option: &str, word: &str| {
        process::read(Command::new(qemu).args([option, "help"]))
            .is_ok_and(|text| text.contains(word))
    };
    let state = if find_program(qemu).is_none() {
        Err("not found".to_string())
    } else if !lists("-accel", "tcg") {
        Err("has no software emulation (-accel tcg)".to_string())
    } else if !lists("-device", "virtio-9p-pci") {
        Err("cannot share directories (virtio-9p-pci)".to_string())
    } else {
        Ok("emulates, shares directories".to_string())
    };
    Need {
        what: qemu.to_string(),
        state,
        mend: packages(["qemu-system-x86"]),
    }
}

/// Debian has, beside the release's own Rust, a newer one for web browsers.
fn rust_package(newer: &str, own: &str) -> String {
    if apt::knows(newer) { newer } else { own }.to_string()
}

fn probe_rustc(rustc: Option<&Rustc>) -> Need {
    let state = match rustc {
        Some(rustc) => Ok(format!("{}: {}", rustc.path.display(), rustc.version)),
        None => Err("no rustc has the source of core (rust-src)".to_string()),
    };
    let names = vec![
        rust_package("rustc-web", "rustc"),
        rust_package("rust-web-src", "rust-src"),
    ];
    Need {
        what: "rustc for the kernel".to_string(),
        state,
        mend: Mend::Packages(names),
    }
}

fn probe_cargo_tool(tool: &str, package: String) -> Need {
    let state = process::read(Command::new("cargo").args([tool, "--version"]))
        .map_err(|_| "cargo cannot run it".to_string());
    Need {
        what: format!("cargo {tool}"),
        state,
        mend: Mend::Packages(vec![package]),
    }
}

fn probe_llvm(wanted: u32) -> Need {
    let what = "LLVM".to_string();
    let Some(llvm) = Llvm::choose(wanted) else {
        let state = Err("no clang-N, installed or to install".to_string());
        return Need {
            what,
            state,
            mend: packages(["clang", "lld", "llvm"]),
        };
    };
    let missing = llvm.missing();
    let state = if !missing.is_empty() {
        Err(format!("not found: {}", missing.join(" ")))
    } else if llvm.libclang().is_dir() {
        Ok(format!("{} (rustc has {wanted})", llvm.major))
    } else {
        Err(format!("no {}", llvm.libclang().display()))
    };
    Need {
        what,
        state,
        mend: Mend::Packages(llvm.packages()),
    }
}
