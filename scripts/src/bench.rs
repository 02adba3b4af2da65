// SPDX-License-Identifier: GPL-2.0
//! `bench`: instructions per operation, counted by the emulator.

mod comparison;
pub mod guest;
pub mod prices;

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};

use self::comparison::{Column, Comparison};
use self::guest::Subject;
use self::prices::OPERATIONS;
use crate::context::Context;
use crate::fragment::Fragment;
use crate::kconfig::Config;
use crate::kernel::Kernel;
use crate::method;
use crate::modules::Modules;
use crate::outcome::Outcome;
use crate::plot::Bars;
use crate::report;
use crate::setup;

/// The size of the usual configuration.
const USUAL_KIB: u32 = 16;
pub const BARE: &str = "bare";
pub const UNCHECKED: &str = "unchecked";
const SIZES_KIB: [u32; 3] = [USUAL_KIB, 32, 64];

#[derive(clap::Args)]
pub struct Args {
    /// Sizes of the stacks, in KiB; each one other than 16 is a kernel of its own
    #[arg(long = "size", env = "SIZES", value_delimiter = ' ')]
    sizes: Vec<String>,
    /// Methods to compare, all that the kernel has if none is given; the first one is
    /// what the others are compared with
    #[arg(long, env = "METHODS", value_delimiter = ' ')]
    methods: Vec<String>,
}

pub fn run(ctx: &Context, args: &Args) -> Result<Outcome> {
    let planned = Kernel::planned(ctx, &fragments(ctx, USUAL_KIB)?)?;
    let methods = select_methods(&args.methods, &planned)?;
    let sizes = select_sizes(ctx, &method::words(&args.sizes))?;
    setup::ensure(ctx)?;
    let mut comparisons = Vec::new();
    for size_kib in sizes {
        let kernel = Kernel::ensure(ctx, &fragments(ctx, size_kib)?)?;
        let Some(comparison) = compare(ctx, &kernel, &methods)? else {
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

/// Of those that the kernel has; all of them if none is `asked` for.
fn select_methods(asked: &[String], config: &Config) -> Result<Vec<&'static str>> {
    let asked = method::words(asked);
    let mut methods = method::select(&asked)?;
    if asked.is_empty() {
        methods.retain(|method| method::is_in(method, config));
    }
    for method in &methods {
        let hint = match *method {
            "probe" => ", whose checks every method would pay for; `make probe-cost` measures them",
            _ => "",
        };
        ensure!(
            method::is_in(method, config),
            "method {method}: the kernel lacks {}{hint}",
            method::symbol(method)
        );
    }
    Ok(methods)
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

fn fragments(ctx: &Context, size_kib: u32) -> Result<Vec<Fragment>> {
    let size = format!("stack-{size_kib}k");
    let names = match size_kib {
        USUAL_KIB => vec![UNCHECKED],
        // A smaller kernel is built sooner.
        _ => vec![BARE, UNCHECKED, &size],
    };
    let fragments = names.into_iter().map(|name| Fragment::named(ctx, name));
    fragments.collect()
}

/// None if a VM died.
fn compare(ctx: &Context, kernel: &Kernel, methods: &[&'static str]) -> Result<Option<Comparison>> {
    // Without Rust there is no such module, and the rows that it measures are missing.
    let modules = match kernel.config()?.value("CONFIG_RUST") {
        "y" => vec![Modules::ensure(ctx, kernel)?.stress],
        _ => Vec::new(),
    };
    let archive = guest::pack(ctx, kernel, &modules)?;
    let (mut size_kib, mut apart) = (USUAL_KIB, 0.0_f64);
    let mut columns = Vec::new();
    for method in methods {
        let subject = Subject {
            title: "bench",
            kernel,
            method,
        };
        let Some((measured, other)) = subject.measure(ctx, &archive)? else {
            return Ok(None);
        };
        // With KDIR it need not be the usual size.
        size_kib = measured.stack_kib;
        apart = apart.max(other);
        columns.push(Column {
            name: method,
            prices: measured.prices,
        });
    }
    Ok(Some(Comparison {
        size_kib,
        columns,
        apart,
    }))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn select(asked: &[&str], config: &str) -> Result<Vec<&'static str>> {
        let asked: Vec<_> = asked.iter().map(ToString::to_string).collect();
        select_methods(&asked, &Config::parse(config))
    }

    #[test]
    fn methods_are_those_of_the_kernel() {
        let lend = "CONFIG_DYNAMIC_STACK=y\n";
        let fault = &format!("{lend}CONFIG_DYNAMIC_STACK_FAULT=y\n");
        let both = format!("{fault}CONFIG_DYNAMIC_STACK_PROBE=y\n");
        assert_eq!(select(&[""], fault).unwrap(), ["off", "lend", "fault"]);
        assert_eq!(select(&["probe"], &both).unwrap(), ["probe"]);

        let error = select(&["off", "probe"], fault).unwrap_err().to_string();
        assert!(error.contains("CONFIG_DYNAMIC_STACK_PROBE"), "{error}");
        assert!(error.contains("make probe-cost"), "{error}");
        let error = select(&["fault"], lend).unwrap_err().to_string();
        assert!(!error.contains("probe-cost"), "{error}");
    }
}
