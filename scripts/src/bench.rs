// SPDX-License-Identifier: GPL-2.0
//! `bench`: instructions per operation, counted by the emulator.

mod comparison;
mod prices;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};

use self::comparison::{Column, Comparison};
use self::prices::{OPERATIONS, Prices};
use crate::archive;
use crate::context::Context;
use crate::fragment::Fragment;
use crate::kernel::Kernel;
use crate::method;
use crate::modules::Modules;
use crate::outcome::Outcome;
use crate::plot::Bars;
use crate::report;
use crate::setup;
use crate::suite::Suite;
use crate::vm::Vm;

/// The size of the usual configuration.
const USUAL_KIB: u32 = 16;
const BARE: &str = "bare";
const SIZES_KIB: [u32; 3] = [USUAL_KIB, 32, 64];

/// The programs in the guest; the first one is its process 1.
const PROGRAMS: [&str; 2] = ["bench_init", "bench"];
/// What the guest loads if it is there.
const MODULE: &str = "stack_stress.ko";

/// One tick of every clock per instruction, and nothing random.
const COUNT_INSTRUCTIONS: &str = "-accel tcg,thread=single -icount shift=0,sleep=off -seed 1 \
                                  -cpu max,rdrand=off,rdseed=off -rtc base=2026-01-01,clock=vm";
const NOTHING_RANDOM: [&str; 3] = ["nokaslr", "norandmaps", "randomize_kstack_offset=off"];

#[derive(clap::Args)]
pub struct Args {
    /// Sizes of the stacks, in KiB; each one other than 16 is a kernel of its own
    #[arg(long = "size", env = "SIZES", value_delimiter = ' ')]
    sizes: Vec<String>,
    /// Methods to compare; the first one is what the others are compared with
    #[arg(long, env = "METHODS", value_delimiter = ' ', default_values = method::ALL)]
    methods: Vec<String>,
}

/// A kernel as it is booted, for one column of the table.
struct Subject<'a> {
    kernel: &'a Kernel,
    method: &'static str,
}

pub fn run(ctx: &Context, args: &Args) -> Result<Outcome> {
    setup::ensure(ctx)?;
    let methods = method::select(&args.methods)?;
    let sizes = select_sizes(ctx, &method::words(&args.sizes))?;
    let mut comparisons = Vec::new();
    for size_kib in sizes {
        let kernel = kernel_with(ctx, size_kib)?;
        let subjects: Vec<_> = methods
            .iter()
            .map(|method| Subject {
                kernel: &kernel,
                method,
            })
            .collect();
        let archive = pack(ctx, &kernel)?;
        let Some(comparison) = compare(ctx, &subjects, &archive)? else {
            return Ok(Outcome::VmDied);
        };
        println!("{comparison}");
        comparisons.push(comparison);
    }
    let dir = ctx.results()?;
    let numbers: String = comparisons.iter().map(Comparison::lines).collect();
    fs::write(dir.join("bench.txt"), numbers)?;
    draw(&comparisons, &methods, &dir.join("bench.svg"))?;
    println!("numbers and plot: {}/bench.{{txt,svg}}", dir.display());

    let targets = comparisons.iter().flat_map(Comparison::targets);
    Ok(report::outcome(&targets.collect::<Vec<_>>()))
}

fn select_sizes(ctx: &Context, asked: &[String]) -> Result<Vec<u32>> {
    ensure!(
        ctx.kdir.is_none() || asked.is_empty(),
        "the kernel in KDIR has the size that it has: give KDIR or SIZES"
    );
    if asked.is_empty() {
        return Ok(vec![USUAL_KIB]);
    }
    for word in asked {
        ensure!(
            SIZES_KIB.iter().any(|size| size.to_string() == *word),
            "unknown size {word:?}, expected some of: 16 32 64"
        );
    }
    let selected = |size: &u32| asked.contains(&size.to_string());
    Ok(SIZES_KIB.into_iter().filter(selected).collect())
}

fn kernel_with(ctx: &Context, size_kib: u32) -> Result<Kernel> {
    let names = match size_kib {
        USUAL_KIB => Vec::new(),
        // A smaller kernel is built sooner.
        _ => vec![BARE.to_string(), format!("stack-{size_kib}k")],
    };
    let fragments = names.iter().map(|name| Fragment::named(ctx, name));
    Kernel::ensure(ctx, &fragments.collect::<Result<Vec<_>>>()?)
}

/// The files of the guest. Without Rust the kernel has no use for the module, and
/// the rows that it measures are missing.
fn pack(ctx: &Context, kernel: &Kernel) -> Result<PathBuf> {
    let suite = Suite::build(ctx, kernel)?;
    let dir = ctx.cache.join("bench");
    fs::create_dir_all(&dir)?;
    let mut files = Vec::from(PROGRAMS);
    for program in PROGRAMS {
        fs::copy(suite.dir.join(program), dir.join(program))?;
    }
    if kernel.config()?.value("CONFIG_RUST") == "y" {
        fs::copy(Modules::ensure(ctx, kernel)?.stress, dir.join(MODULE))?;
        files.push(MODULE);
    }
    archive::pack(&dir, &files, &dir.with_extension("cpio"))
}

/// None if a VM died.
fn compare(ctx: &Context, subjects: &[Subject], archive: &Path) -> Result<Option<Comparison>> {
    let (mut size_kib, mut apart) = (USUAL_KIB, 0.0_f64);
    let mut columns = Vec::new();
    for subject in subjects {
        let (Some(first), Some(second)) = (
            subject.measure(ctx, archive, "first run")?,
            subject.measure(ctx, archive, "second run")?,
        ) else {
            return Ok(None);
        };
        // With KDIR it need not be the usual size.
        size_kib = first.stack_kib;
        apart = apart.max(first.prices.differs_from(&second.prices));
        columns.push(Column {
            name: subject.method,
            prices: first.prices,
        });
    }
    Ok(Some(Comparison {
        size_kib,
        columns,
        apart,
    }))
}

struct Measured {
    /// What the kernel says.
    stack_kib: u32,
    prices: Prices,
}

impl Subject<'_> {
    /// None if the VM died.
    fn measure(&self, ctx: &Context, archive: &Path, which: &str) -> Result<Option<Measured>> {
        let name = &format!("bench, {}, {which}", self.method);
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

/// Each method in percent of the first one.
fn draw(comparisons: &[Comparison], methods: &[&str], path: &Path) -> Result<()> {
    let mut groups = Vec::new();
    for (position, comparison) in comparisons.iter().enumerate() {
        let size = comparison.size_kib;
        for (index, operation) in OPERATIONS.iter().enumerate() {
            if !operation.is_drawn(position == 0) {
                continue;
            }
            let Some(prices) = comparison.prices_of(index) else {
                continue;
            };
            let percents = prices.iter().map(|price| 100.0 * price / prices[0]);
            let name = operation.name;
            groups.push((format!("{name}, {size} KiB"), percents.collect()));
        }
    }
    let bars = Bars {
        title: "Instructions per operation",
        unit: &format!("% of {}", methods[0]),
        series: methods,
        groups,
    };
    bars.write(path)
}
