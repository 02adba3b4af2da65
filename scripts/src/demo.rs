// SPDX-License-Identifier: GPL-2.0
//! `demo`: what dynamic stacks save, shown on many parked threads.

mod comparison;
mod memory;

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use self::comparison::Comparison;
use self::memory::Measured;
use crate::context::Context;
use crate::lab::Lab;
use crate::outcome::Outcome;
use crate::plot::Bars;
use crate::report;

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

pub fn run(ctx: &Context, args: &Args) -> Result<Outcome> {
    let lab = Lab::new(ctx)?;
    let Some(off) = measure(&lab, "off", args.threads)? else {
        return Ok(Outcome::VmDied);
    };
    let Some(lend) = measure(&lab, "lend", args.threads)? else {
        return Ok(Outcome::VmDied);
    };
    let comparison = Comparison {
        threads: args.threads,
        off,
        lend,
    };
    print!("{comparison}");
    println!("plot: {}", draw(ctx, &comparison)?.display());
    Ok(report::outcome(&comparison.targets()))
}

/// None if the VM died.
fn measure(lab: &Lab, method: &str, threads: u32) -> Result<Option<Measured>> {
    let name = format!("demo, {method}, {threads} threads");
    let mut vm = lab.vm(&name);
    vm.memory_mib = MEMORY_MIB + threads / 1024 * MEMORY_OF_THREAD_KIB;
    let output = lab.run(vm, method, "demo.sh", &[threads.to_string()]);
    let output = output.with_context(|| name)?;
    output.map(|lines| Measured::read(&lines)).transpose()
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
    let path = ctx.results()?.join("demo.svg");
    bars.write(&path)?;
    Ok(path)
}
