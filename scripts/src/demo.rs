// SPDX-License-Identifier: GPL-2.0
//! `demo`: what dynamic stacks save, shown on many parked threads.

mod comparison;
mod memory;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;

use self::comparison::Comparison;
use self::memory::Measured;
use crate::context::Context;
use crate::kernel::Kernel;
use crate::method;
use crate::modules::Modules;
use crate::outcome::Outcome;
use crate::plot::Bars;
use crate::report::Target;
use crate::suite::Suite;
use crate::tools::Tools;
use crate::vm::Vm;

/// For the system and what a parked thread needs besides its stack.
const MEMORY_MIB: u32 = 2048;
const MEMORY_OF_THREAD_KIB: u32 = 40;

#[derive(clap::Args)]
pub struct Args {
    /// Number of parked threads
    #[arg(short = 'N', long = "threads", env = "N", default_value_t = 10_000,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    threads: u32,
}

struct Lab<'a> {
    ctx: &'a Context,
    tools: Tools,
    kernel: Kernel,
    modules: Modules,
    selftests: PathBuf,
}

pub fn run(ctx: &Context, args: &Args) -> Result<Outcome> {
    let kernel = Kernel::ensure(ctx, None)?;
    let lab = Lab {
        ctx,
        tools: Tools::ensure(ctx)?,
        modules: Modules::ensure(ctx, &kernel)?,
        selftests: Suite::build(ctx, &kernel)?.dir,
        kernel,
    };
    let Some(off) = lab.measure("off", args.threads)? else {
        return Ok(Outcome::VmDied);
    };
    let Some(lend) = lab.measure("lend", args.threads)? else {
        return Ok(Outcome::VmDied);
    };
    let comparison = Comparison {
        threads: args.threads,
        off,
        lend,
    };
    print!("{comparison}");
    println!("plot: {}", draw(ctx, &comparison)?.display());
    Ok(match comparison.targets().iter().any(Target::failed) {
        true => Outcome::Fail,
        false => Outcome::Pass,
    })
}

impl Lab<'_> {
    /// None if the VM died.
    fn measure(&self, method: &str, threads: u32) -> Result<Option<Measured>> {
        let name = format!("demo, {method}, {threads} threads");
        let mut vm = Vm::new(self.ctx, &self.kernel, &name);
        vm.memory_mib = MEMORY_MIB + threads / 1024 * MEMORY_OF_THREAD_KIB;
        vm.kernel_args = vec![format!("dynamic_stack={method}")];
        vm.quiet = Duration::from_secs(600);
        let paths = [&self.modules.stats, &self.modules.stress, &self.selftests];
        let mut script_args: Vec<_> = paths.map(|path| path.display().to_string()).into();
        script_args.push(threads.to_string());
        let script = self.ctx.root.join("scripts/guest/demo.sh");
        let run = vm.run(&self.tools.vng, &script, &script_args)?;
        match run.status() {
            None => Ok(None),
            Some(0) => {
                method::stack_kib(method, &run.console)?;
                Measured::read(&run.output).map(Some)
            }
            Some(status) => anyhow::bail!("{name}: {}", run.failure(status)),
        }
    }
}

fn draw(ctx: &Context, comparison: &Comparison) -> Result<PathBuf> {
    let (off, lend) = (&comparison.off, &comparison.lend);
    let both = |size: fn(&Measured) -> f64| vec![size(off) / 1024.0, size(lend) / 1024.0];
    let bars = Bars {
        title: &format!("Kernel stacks, {} parked threads", comparison.threads),
        unit: "MiB",
        series: &["off", "lend"],
        groups: vec![
            ("at boot".into(), both(|m| m.boot.kernel_stack)),
            ("threads parked".into(), both(|m| m.parked.kernel_stack)),
            ("after stress".into(), both(|m| m.stressed.kernel_stack)),
            (
                "taken from free memory".into(),
                both(Measured::taken_by_parked),
            ),
        ],
    };
    let dir = ctx.cache.join("results");
    fs::create_dir_all(&dir)?;
    let path = dir.join("demo.svg");
    bars.write(&path)?;
    Ok(path)
}
