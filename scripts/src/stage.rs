// SPDX-License-Identifier: GPL-2.0
//! The stages of the series, the base and the tree after each patch, in a work
//! tree and a build directory that they have for themselves.

use std::fs;
use std::iter;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::context::Context;
use crate::kbuild::{self, Compiler};
use crate::kernel::{self, Kernel};
use crate::process;
use crate::progress;
use crate::tools::Tools;
use crate::tree::Tree;

/// What there is once all of it is there. One includes those before it.
pub struct Offer {
    /// The line of a Kconfig file that says so, as a pattern.
    line: &'static str,
    /// What the kernel is asked for then.
    fragment: &'static str,
    /// What it can be booted with.
    pub methods: &'static [&'static str],
}

static OFFERS: [Offer; 3] = [
    Offer {
        line: "select HAVE_ARCH_DYNAMIC_STACK[[:space:]]",
        fragment: "dynamic.config",
        methods: &["off", "lend"],
    },
    Offer {
        line: "select HAVE_ARCH_DYNAMIC_STACK_FAULT[[:space:]]",
        fragment: "fault.config",
        methods: &["fault"],
    },
    Offer {
        line: "config DYNAMIC_STACK_PROBE$",
        fragment: "probe.config",
        methods: &["probe"],
    },
];

const PLAIN: &str = "plain.config";
/// The tag of the source, and the name of the stage without a patch.
pub const BASE: &str = "base";

pub struct Stage {
    /// "base", or number and subject of the last patch.
    pub name: String,
    commit: String,
}

/// Where one stage after another is checked out and built.
pub struct Workshop<'a> {
    ctx: &'a Context,
    pub tools: Tools,
    /// Not that of `make tree`, in which somebody may be working.
    pub tree: Tree,
    pub kernel: Kernel,
    fragments: PathBuf,
}

impl<'a> Workshop<'a> {
    /// The workshop, and the stages in their order.
    pub fn open(ctx: &'a Context) -> Result<(Self, Vec<Stage>)> {
        ctx.refuse_kdir()?;
        let tools = Tools::ensure(ctx)?;
        let (main, tag) = Tree::with_series(ctx)?;
        let stages = list(&main, &tag)?;
        let tree = work_tree(&main)?;
        let fragments = ctx.root.join("scripts/configs/stages");
        let plain = kernel::concatenate([&fragments.join(PLAIN)])?;
        let name = format!(
            "stages-{}",
            kernel::key(&tools, Compiler::Clang, &tree, &plain)?
        );
        let workshop = Self {
            ctx,
            tools,
            tree,
            kernel: Kernel {
                build: ctx.cache.join(name),
            },
            fragments,
        };
        Ok((workshop, stages))
    }

    pub fn check_out(&self, stage: &Stage) -> Result<()> {
        check_out(&self.tree, &stage.commit)
    }

    /// What the stage that is checked out has to offer.
    pub fn offers(&self) -> Vec<&'static Offer> {
        let git = self.tree.git();
        let files = "arch/*Kconfig";
        let has_line = |offer: &&Offer| git.succeeds(["grep", "-q", offer.line, "--", files]);
        OFFERS.iter().filter(has_line).collect()
    }

    /// Builds `target` of `stage`, which is checked out, with `offers` of it.
    pub fn build(&self, stage: &Stage, offers: &[&Offer], target: &str) -> Result<()> {
        let files = iter::once(PLAIN).chain(offers.iter().map(|offer| offer.fragment));
        let files: Vec<_> = files.map(|file| self.fragments.join(file)).collect();
        let asked = &kernel::concatenate(&files)?;
        let (ctx, tools) = (self.ctx, &self.tools);
        let compiler = Compiler::Clang;
        self.kernel
            .configure(ctx, tools, compiler, &self.tree, asked)?;
        let mut make = kbuild::make(ctx, tools, compiler, &self.kernel.build);
        make.arg(target);
        let title = format!("build {}", stage.name);
        let number = stage.name.split(' ').next().unwrap_or_default();
        let log = ctx.log(&format!("stage-{number}"));
        progress::run(&title, &log, None, &mut make)
    }

    pub fn vmlinux(&self) -> PathBuf {
        self.kernel.build.join("vmlinux")
    }

    /// The size of the section .text in bytes.
    pub fn text_bytes(&self) -> Result<u64> {
        let size = format!("llvm-size{}", self.tools.llvm.suffix());
        let table = process::read(Command::new(size).arg("-A").arg(self.vmlinux()))?;
        text_bytes(&table).with_context(|| format!("no .text in {}", self.vmlinux().display()))
    }
}

/// The base, checked out in the work tree of the stages.
pub fn base(ctx: &Context) -> Result<Tree> {
    let tree = work_tree(&Tree::unpack(ctx)?)?;
    check_out(&tree, BASE)?;
    Ok(tree)
}

fn work_tree(main: &Tree) -> Result<Tree> {
    let tree = Tree {
        dir: main.dir.with_extension("stages"),
    };
    // One whose main tree was removed and made again is of no use.
    if !tree.git().is_repository() || tree.git().head().is_err() {
        let _ = fs::remove_dir_all(&tree.dir);
        main.add_work_tree(&tree.dir)?;
    }
    Ok(tree)
}

fn check_out(tree: &Tree, commit: &str) -> Result<()> {
    let git = tree.git();
    git.read(["checkout", "-q", "--force", "--detach", commit])
        .map(drop)
}

fn list(tree: &Tree, tag: &str) -> Result<Vec<Stage>> {
    let git = tree.git();
    let mut stages = vec![Stage {
        name: BASE.to_string(),
        commit: BASE.to_string(),
    }];
    let range = format!("{BASE}..{tag}");
    let log = git.read(["log", "--reverse", "--format=%H %s", &range])?;
    for (index, line) in log.lines().enumerate() {
        let (commit, subject) = line.split_once(' ').context("git log without subject")?;
        stages.push(Stage {
            name: format!("{:04} {subject}", index + 1),
            commit: commit.to_string(),
        });
    }
    Ok(stages)
}

/// `table` is what `size -A` prints: section, size, address.
fn text_bytes(table: &str) -> Option<u64> {
    let mut rows = table.lines().map(|line| line.split_whitespace());
    rows.find_map(|mut row| match row.next() {
        Some(".text") => row.next()?.parse().ok(),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_of_text_is_read() {
        let table = "vmlinux  :\nsection  size  addr\n.text  1234  18446744071578845184\n\
                     .rodata 99 0\nTotal 1333\n";
        assert_eq!(text_bytes(table), Some(1234));
        assert_eq!(text_bytes("Total 0\n"), None);
    }
}
