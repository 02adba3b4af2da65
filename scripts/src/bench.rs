// SPDX-License-Identifier: GPL-2.0
//! `bench`: instructions per operation, counted by the emulator.

mod comparison;
mod prices;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};

use self::comparison::Comparison;
use self::prices::{OPERATIONS, Prices};
use crate::context::Context;
use crate::fragment::Fragment;
use crate::kernel::Kernel;
use crate::method;
use crate::outcome::Outcome;
use crate::plot::Bars;
use crate::suite::Suite;
use crate::tools::Tools;
use crate::vm::Vm;

/// The size of the usual configuration.
const USUAL_KIB: u32 = 16;
const SIZES_KIB: [u32; 3] = [USUAL_KIB, 32, 64];

/// One tick of every clock per instruction, and nothing random.
const COUNT_INSTRUCTIONS: &str = "-accel tcg,thread=single -icount shift=0,sleep=off -seed 1 \
                                  -cpu max,rdrand=off,rdseed=off -rtc base=2026-01-01,clock=vm";
const NOTHING_RANDOM: [&str; 3] = ["nokaslr", "norandmaps", "randomize_kstack_offset=off"];

#[derive(clap::Args)]
pub struct Args {
    /// Sizes of the stacks, in KiB; each one other than 16 is a kernel of its own
    #[arg(long = "size", env = "SIZES", value_delimiter = ' ')]
    sizes: Vec<String>,
}

struct Lab<'a> {
    ctx: &'a Context,
    tools: Tools,
    kernel: Kernel,
    program: PathBuf,
}

pub fn run(ctx: &Context, args: &Args) -> Result<Outcome> {
    let mut comparisons = Vec::new();
    for size_kib in select_sizes(ctx, &method::words(&args.sizes))? {
        let lab = Lab::new(ctx, size_kib)?;
        let Some(comparison) = lab.compare()? else {
            return Ok(Outcome::VmDied);
        };
        println!("{comparison}");
        comparisons.push(comparison);
    }
    let dir = ctx.cache.join("results");
    fs::create_dir_all(&dir)?;
    let numbers: String = comparisons.iter().map(Comparison::lines).collect();
    fs::write(dir.join("bench.txt"), numbers)?;
    draw(&comparisons, &dir.join("bench.svg"))?;
    println!("numbers and plot: {}/bench.{{txt,svg}}", dir.display());

    let mut targets = comparisons.iter().flat_map(Comparison::targets);
    Ok(match targets.any(|target| target.failed()) {
        true => Outcome::Fail,
        false => Outcome::Pass,
    })
}

fn select_sizes(ctx: &Context, asked: &[String]) -> Result<Vec<u32>> {
    if asked.is_empty() {
        return Ok(vec![USUAL_KIB]);
    }
    ensure!(
        ctx.kdir.is_none(),
        "the kernel in KDIR has the size that it has: give KDIR or SIZES"
    );
    for word in asked {
        ensure!(
            SIZES_KIB.iter().any(|size| size.to_string() == *word),
            "unknown size {word:?}, expected some of: 16 32 64"
        );
    }
    let sizes = SIZES_KIB.into_iter();
    Ok(sizes
        .filter(|size| asked.contains(&size.to_string()))
        .collect())
}

struct Measured {
    /// What the kernel says; with KDIR it need not be the usual size.
    stack_kib: u32,
    prices: Prices,
}

impl<'a> Lab<'a> {
    fn new(ctx: &'a Context, size_kib: u32) -> Result<Self> {
        let fragment = match size_kib {
            USUAL_KIB => None,
            _ => Some(Fragment::named(ctx, &format!("stack-{size_kib}k"))?),
        };
        let kernel = Kernel::ensure(ctx, fragment.as_ref())?;
        Ok(Self {
            ctx,
            tools: Tools::ensure(ctx)?,
            program: Suite::build(ctx, &kernel)?.dir.join("bench"),
            kernel,
        })
    }

    /// None if a VM died.
    fn compare(&self) -> Result<Option<Comparison>> {
        let (mut apart, mut size_kib) = (0.0_f64, 0);
        let mut both = Vec::new();
        for method in method::ALL {
            let (Some(first), Some(second)) = (
                self.measure("first run", method)?,
                self.measure("second run", method)?,
            ) else {
                return Ok(None);
            };
            apart = apart.max(first.prices.differs_from(&second.prices));
            size_kib = first.stack_kib;
            both.push(first.prices);
        }
        let Ok([off, lend]) = <[Prices; 2]>::try_from(both) else {
            bail!("expected the prices of two methods");
        };
        Ok(Some(Comparison {
            size_kib,
            off,
            lend,
            apart,
        }))
    }

    /// None if the VM died.
    fn measure(&self, which: &str, method: &str) -> Result<Option<Measured>> {
        let name = &format!("bench, {method}, {which}");
        let mut vm = Vm::new(self.ctx, &self.tools.vng, &self.kernel, name);
        // The instructions of every CPU advance the clocks.
        vm.cpus = 1;
        vm.kernel_args = NOTHING_RANDOM.map(str::to_string).into();
        vm.kernel_args.push(format!("dynamic_stack={method}"));
        vm.qemu_args = vec![COUNT_INSTRUCTIONS.to_string()];
        let script = self.ctx.root.join("scripts/guest/bench.sh");
        let run = vm.run(&script, &[self.program.display().to_string()])?;
        match run.status() {
            None => Ok(None),
            Some(0) => Ok(Some(Measured {
                stack_kib: method::stack_kib(method, &run.console)?,
                prices: Prices::read(&run.output)?,
            })),
            Some(status) => bail!("{name}: {}", run.failure(status)),
        }
    }
}

fn draw(comparisons: &[Comparison], path: &Path) -> Result<()> {
    let mut groups = Vec::new();
    for (position, comparison) in comparisons.iter().enumerate() {
        let size = comparison.size_kib;
        for (index, (_, name)) in OPERATIONS.iter().enumerate() {
            // Only the switch depends on the size.
            if index == 0 || position == 0 {
                let label = format!("{name}, {size} KiB");
                groups.push((label, [100.0, comparison.percent(index)]));
            }
        }
    }
    let bars = Bars {
        title: "Instructions per operation",
        unit: "% of off",
        series: method::ALL,
        groups,
    };
    bars.write(path)
}
