// SPDX-License-Identifier: GPL-2.0
//! Configures and builds the patched kernel, outside its source.

use std::fs;
use std::iter;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::context::Context;
use crate::fragment::{self, Fragment};
use crate::hash::Hash;
use crate::kbuild::{self, Compiler};
use crate::kconfig::Config;
use crate::outcome::Outcome;
use crate::progress;
use crate::tools::Tools;
use crate::tree::Tree;

/// About what a complete build prints; only the progress bar depends on it.
const BUILD_LINES: u64 = 2100;

/// In the build directory: the commit that was built there to its end.
const STAMP: &str = "built-commit";

/// A built kernel.
pub struct Kernel {
    /// What kbuild calls O= and modules call KDIR.
    pub build: PathBuf,
}

pub fn run(ctx: &Context, configs: &fragment::Args) -> Result<Outcome> {
    for fragment in configs.select(ctx)? {
        let kernel = Kernel::ensure(ctx, fragment.as_ref())?;
        println!("{}", kernel.image().display());
    }
    Ok(Outcome::Pass)
}

impl Kernel {
    pub fn config(&self) -> Result<Config> {
        Config::read(&self.build.join(".config"))
    }

    /// What it cannot be booted without.
    pub fn boot_args(&self) -> Vec<String> {
        let config = self.config().unwrap_or_default();
        // KASAN takes addresses for those of four levels while identify_cpu() finds out
        // what the CPU has, and reports an interrupt that comes then.
        let four_levels = config.value("CONFIG_KASAN") == "y";
        four_levels
            .then(|| "no5lvl".to_string())
            .into_iter()
            .collect()
    }

    /// The configuration of the kernel in KDIR if the user gave one; else what the
    /// kernel of `ensure` will have, as far as it was asked for.
    pub fn planned<'a>(
        ctx: &Context,
        fragments: impl IntoIterator<Item = &'a Fragment>,
    ) -> Result<Config> {
        match &ctx.kdir {
            Some(kdir) => Config::read(&kdir.join(".config")),
            None => Ok(Config::parse(&asked(ctx, fragments)?)),
        }
    }

    /// The kernel in KDIR if the user gave one; else the kernel of the tree,
    /// with `fragments` on top of the usual configuration, built if need be.
    pub fn ensure<'a>(
        ctx: &Context,
        fragments: impl IntoIterator<Item = &'a Fragment>,
    ) -> Result<Self> {
        match &ctx.kdir {
            Some(kdir) => Ok(Self {
                build: kdir.clone(),
            }),
            None => Self::build(ctx, Compiler::Clang, &asked(ctx, fragments)?),
        }
    }

    /// The kernel of the tree with what is `asked` for, built if need be.
    pub fn build(ctx: &Context, compiler: Compiler, asked: &str) -> Result<Self> {
        Self::build_from(ctx, &Tree::ensure(ctx)?, compiler, asked)
    }

    /// The kernel of `tree` as it is, with what is `asked` for, built if need be.
    pub fn build_from(ctx: &Context, tree: &Tree, compiler: Compiler, asked: &str) -> Result<Self> {
        let tools = Tools::ensure(ctx)?;
        let key = key(&tools, compiler, tree, asked)?;
        let kernel = Self {
            build: ctx.cache.join(format!("kernel-{key}")),
        };

        let commit = tree.git().head()?;
        let stamp = kernel.build.join(STAMP);
        let built = fs::read_to_string(&stamp).is_ok_and(|built| built == commit);
        if built && !tree.git().is_dirty()? {
            return Ok(kernel);
        }
        // Not before the build is complete does the directory hold that commit.
        let _ = fs::remove_file(&stamp);
        kernel.configure(ctx, &tools, compiler, tree, asked)?;
        let mut make = kbuild::make(ctx, &tools, compiler, &kernel.build);
        make.args(["bzImage", "modules"]);
        progress::run(
            "build the kernel",
            &ctx.log("kernel"),
            Some(BUILD_LINES),
            &mut make,
        )?;
        if !tree.git().is_dirty()? {
            fs::write(&stamp, commit)?;
        }
        Ok(kernel)
    }

    pub fn image(&self) -> PathBuf {
        self.build.join("arch/x86/boot/bzImage")
    }

    /// Configures the kernel of `tree` with what is `asked` for, and nothing else.
    pub fn configure(
        &self,
        ctx: &Context,
        tools: &Tools,
        compiler: Compiler,
        tree: &Tree,
        asked: &str,
    ) -> Result<()> {
        fs::create_dir_all(&self.build)?;
        let fragment = self.build.join("asked.config");
        fs::write(&fragment, asked)?;
        let mut make = kbuild::make(ctx, tools, compiler, &tree.dir);
        make.arg(format!("O={}", self.build.display()))
            .arg("allnoconfig")
            .env("KCONFIG_ALLCONFIG", &fragment);
        progress::run("configure the kernel", &ctx.log("config"), None, &mut make)?;

        let result = self.config()?;
        let (mut dropped, mut unknown) = (Vec::new(), Vec::new());
        for (symbol, value) in Config::parse(asked).not_in(&result) {
            let list = if knows(tree, symbol) {
                &mut dropped
            } else {
                &mut unknown
            };
            list.push(format!("{symbol}={value}"));
        }
        if !unknown.is_empty() {
            eprintln!("note: this source does not know {}", unknown.join(" "));
        }
        if !dropped.is_empty() {
            bail!(
                "the configuration lost {}: what they depend on is missing, see {}",
                dropped.join(" "),
                ctx.log("config").display()
            );
        }
        Ok(())
    }
}

/// The usual configuration, with `fragments` on top of it.
pub fn asked<'a>(
    ctx: &Context,
    fragments: impl IntoIterator<Item = &'a Fragment>,
) -> Result<String> {
    let usual = fragment::usual(ctx);
    let fragments = fragments.into_iter().map(|fragment| &fragment.path);
    concatenate(iter::once(&usual).chain(fragments))
}

/// The text of fragments, one after another.
pub fn concatenate<'a>(files: impl IntoIterator<Item = &'a PathBuf>) -> Result<String> {
    let mut text = String::new();
    for file in files {
        text +=
            &fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        text.push('\n');
    }
    Ok(text)
}

/// Names a build directory. The series is no part of it: after a change of a
/// patch the same directory is built again, and only what changed.
pub fn key(tools: &Tools, compiler: Compiler, tree: &Tree, asked: &str) -> Result<String> {
    let mut hash = Hash::default();
    hash.text(&tree.dir.to_string_lossy());
    hash.text(asked);
    match compiler {
        Compiler::Clang => hash.text(&tools.llvm.suffix()),
        Compiler::Gcc => hash.text("gcc"),
    }
    hash.text(&tools.rustc.version);
    hash.text(&tools.bindgen.to_string_lossy());
    Ok(hash.key())
}

/// Whether some Kconfig file of the tree defines `symbol`.
fn knows(tree: &Tree, symbol: &str) -> bool {
    let name = symbol.trim_start_matches("CONFIG_");
    let pattern = format!("^[[:space:]]*(menu)?config {name}$");
    tree.git()
        .succeeds(["grep", "-qE", &pattern, "--", "*Kconfig*"])
}
