// SPDX-License-Identifier: GPL-2.0
//! The guest that measures: it holds nothing else than the programs, and the emulator
//! counts its instructions.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::prices::Prices;
use crate::archive;
use crate::context::Context;
use crate::kernel::Kernel;
use crate::method;
use crate::suite::Suite;
use crate::vm::Vm;

/// The programs in the guest; the first one is its process 1.
const PROGRAMS: [&str; 2] = ["bench_init", "bench"];

/// One tick of every clock per instruction, and nothing random.
const COUNT_INSTRUCTIONS: &str = "-accel tcg,thread=single -icount shift=0,sleep=off -seed 1 \
                                  -cpu max,rdrand=off,rdseed=off -rtc base=2026-01-01,clock=vm";
const NOTHING_RANDOM: [&str; 3] = ["nokaslr", "norandmaps", "randomize_kstack_offset=off"];

/// A kernel as it is booted.
pub struct Subject<'a> {
    /// For whom it is measured.
    pub title: &'a str,
    pub kernel: &'a Kernel,
    pub method: &'static str,
}

pub struct Measured {
    /// What the kernel says.
    pub stack_kib: u32,
    pub prices: Prices,
}

/// The files of the guest; process 1 loads those of `modules` that it knows.
pub fn pack(ctx: &Context, kernel: &Kernel, modules: &[PathBuf]) -> Result<PathBuf> {
    let suite = Suite::build(ctx, kernel)?;
    let dir = ctx.cache.join("bench");
    fs::create_dir_all(&dir)?;
    let programs = PROGRAMS.map(|program| suite.dir.join(program));
    let mut names = Vec::new();
    for file in programs.iter().chain(modules) {
        let name = file.file_name().context("a file without a name")?;
        fs::copy(file, dir.join(name)).with_context(|| format!("copy {}", file.display()))?;
        names.push(name.to_string_lossy());
    }
    archive::pack(&dir, &names, &dir.with_extension("cpio"))
}

impl Subject<'_> {
    /// What the first of two boots measured, and how far the second one was apart, in
    /// percent. None if a VM died.
    pub fn measure(&self, ctx: &Context, archive: &Path) -> Result<Option<(Measured, f64)>> {
        let Some(first) = self.boot(ctx, archive, "first run")? else {
            return Ok(None);
        };
        let Some(second) = self.boot(ctx, archive, "second run")? else {
            return Ok(None);
        };
        let apart = first.prices.differs_from(&second.prices);
        Ok(Some((first, apart)))
    }

    fn boot(&self, ctx: &Context, archive: &Path, which: &str) -> Result<Option<Measured>> {
        let name = &format!("{}, {}, {which}", self.title, self.method);
        let mut vm = Vm::new(ctx, self.kernel, name);
        // The instructions of every CPU advance the clocks.
        vm.cpus = 1;
        vm.kernel_args = NOTHING_RANDOM.map(str::to_string).into();
        vm.kernel_args
            .push(format!("dynamic_stack={}", self.method));
        vm.qemu_args = vec![COUNT_INSTRUCTIONS.to_string()];
        let run = vm.run_bare(archive, PROGRAMS[0], &[])?;
        match run.status() {
            None => Ok(None),
            Some(0) => Ok(Some(Measured {
                stack_kib: method::stack_kib(self.method, &run.console)?,
                prices: Prices::read(&run.output)?,
            })),
            Some(status) => bail!("{name}: {}", run.failure(status)),
        }
    }
}
