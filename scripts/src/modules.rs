// SPDX-License-Identifier: GPL-2.0
//! Builds the modules of rust/ and samples/ against a built kernel.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::context::Context;
use crate::hash::Hash;
use crate::kbuild;
use crate::kdir::Kdir;
use crate::kernel::Kernel;
use crate::outcome::Outcome;
use crate::progress;
use crate::tools::Tools;

/// Built modules.
pub struct Modules {
    /// dynamic_stack_stats
    pub stats: PathBuf,
    /// dynamic_stack_expand
    pub expand: PathBuf,
    /// stack_stress
    pub stress: PathBuf,
}

pub fn run(ctx: &Context) -> Result<Outcome> {
    let kernel = Kernel::ensure(ctx, None)?;
    let modules = Modules::ensure(ctx, &kernel)?;
    for module in modules.all() {
        println!("{}", module.display());
    }
    Ok(Outcome::Pass)
}

/// Checks the modules with clippy; warnings are errors.
pub fn clippy(ctx: &Context, tools: &Tools, kernel: &Kernel) -> Result<Command> {
    let (mut make, _) = make(ctx, tools, kernel, "clippy")?;
    let driver = tools.rustc.clippy_driver();
    make.args(["CLIPPY=1", "KRUSTFLAGS=-Dwarnings"]);
    make.arg(format!("CLIPPY_DRIVER={}", driver.display()));
    Ok(make)
}

impl Modules {
    pub fn ensure(ctx: &Context, kernel: &Kernel) -> Result<Self> {
        let tools = Tools::ensure(ctx)?;
        let (mut make, out) = make(ctx, &tools, kernel, "modules")?;
        progress::run("build the modules", &ctx.log("modules"), None, &mut make)?;
        Ok(Self {
            stats: out.join("rust/dynamic_stack_stats.ko"),
            expand: out.join("rust/dynamic_stack_expand.ko"),
            stress: out.join("samples/stack_stress.ko"),
        })
    }

    pub fn all(&self) -> [&Path; 3] {
        [&self.stats, &self.expand, &self.stress]
    }
}

/// The module that traces all functions, and does nothing then. It needs no Rust.
pub fn ftrace_noop(ctx: &Context, kernel: &Kernel) -> Result<PathBuf> {
    let tools = Tools::ensure(ctx)?;
    let source = ctx.root.join("samples/ftrace_noop");
    let (mut make, out) = make_in(ctx, &tools, kernel, &source, "modules-ftrace")?;
    progress::run("build ftrace_noop", &ctx.log("modules"), None, &mut make)?;
    Ok(out.join("ftrace_noop.ko"))
}

/// The modules of the kernel's selftests of live patching, in a folder of their own.
pub fn livepatch_tests(ctx: &Context, kernel: &Kernel, source: &Path) -> Result<PathBuf> {
    let tools = Tools::ensure(ctx)?;
    let (mut make, out) = make_in(ctx, &tools, kernel, source, "modules-livepatch")?;
    let title = "build the modules of the selftests";
    progress::run(title, &ctx.log("modules"), None, &mut make)?;
    Ok(out)
}

/// The command that builds the modules in Rust, and the directory it builds them in.
fn make(ctx: &Context, tools: &Tools, kernel: &Kernel, prefix: &str) -> Result<(Command, PathBuf)> {
    for finding in Kdir::read(&kernel.build).findings(&tools.rustc) {
        if let Err(fault) = finding.state {
            let dir = kernel.build.display();
            bail!("KDIR={dir}: {}: {fault}", finding.what);
        }
    }
    make_in(ctx, tools, kernel, &ctx.root, prefix)
}

/// The command that builds what is in `source`, and the directory it builds it in: one
/// of the cache, so that the checkout stays as it is.
fn make_in(
    ctx: &Context,
    tools: &Tools,
    kernel: &Kernel,
    source: &Path,
    prefix: &str,
) -> Result<(Command, PathBuf)> {
    let mut hash = Hash::default();
    hash.text(&ctx.root.to_string_lossy());
    hash.text(&kernel.build.to_string_lossy());
    let out = ctx.cache.join(format!("{prefix}-{}", hash.key()));
    fs::create_dir_all(&out)?;
    let compiler = Kdir::read(&kernel.build).compiler();
    let mut make = kbuild::make(ctx, tools, compiler, &kernel.build);
    make.arg(format!("M={}", source.display()))
        .arg(format!("MO={}", out.display()))
        .arg("modules");
    Ok((make, out))
}
