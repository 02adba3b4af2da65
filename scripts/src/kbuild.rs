// SPDX-License-Identifier: GPL-2.0
//! How make is called on a kernel: same tools and same stamps every time, so
//! that equal input gives an equal kernel.

use std::num::NonZero;
use std::path::Path;
use std::process::Command;
use std::thread;

use crate::context::Context;
use crate::tools::Tools;

/// The compiler for C; modules need the one their kernel was built with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Compiler {
    Clang,
    Gcc,
}

/// `make -C dir` with the tools and nothing of the make that may have called us.
pub fn make(ctx: &Context, tools: &Tools, compiler: Compiler, dir: &Path) -> Command {
    let mut make = Command::new("make");
    for variable in [
        "MAKEFLAGS",
        "MFLAGS",
        "MAKELEVEL",
        "MAKEOVERRIDES",
        "ARCH",
        "KCONFIG_CONFIG",
    ] {
        make.env_remove(variable);
    }
    make.env("CCACHE_DIR", ctx.cache.join("ccache"))
        .env("LIBCLANG_PATH", tools.llvm.libclang())
        .env("KBUILD_BUILD_TIMESTAMP", "2026-01-01")
        .env("KBUILD_BUILD_USER", "dynstack")
        .env("KBUILD_BUILD_HOST", "localhost")
        .env("KBUILD_BUILD_VERSION", "1");
    make.arg("-C").arg(dir).arg(format!("-j{}", jobs()));
    match compiler {
        Compiler::Clang => {
            let suffix = tools.llvm.suffix();
            make.arg(format!("LLVM={suffix}"))
                .arg(format!("CC=ccache clang{suffix}"));
        }
        Compiler::Gcc => {
            make.arg("CC=ccache gcc");
        }
    }
    make.arg(format!("RUSTC={}", tools.rustc.path.display()))
        .arg(format!("HOSTRUSTC={}", tools.rustc.path.display()))
        .arg(format!("RUSTDOC={}", tools.rustc.rustdoc().display()))
        .arg(format!("BINDGEN={}", tools.bindgen.display()))
        .arg("LOCALVERSION=");
    make
}

fn jobs() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}
