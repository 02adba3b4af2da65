// SPDX-License-Identifier: GPL-2.0
//! `probe-cost`: what the checks of the compiler cost that `dynamic_stack=probe` is
//! built on, and what other triggers do.

mod costs;
mod recipe;
mod row;
mod verdict;

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};

use self::costs::Costs;
use self::recipe::{Ftrace, Recipe};
use self::row::{COLUMNS, Row};
use crate::bench::guest::{self, Subject};
use crate::bench::prices::OPERATIONS;
use crate::context::Context;
use crate::kbuild::Compiler;
use crate::kernel::Kernel;
use crate::margin;
use crate::method;
use crate::modules;
use crate::outcome::Outcome;
use crate::plot::Bars;
use crate::report::{self, Target};
use crate::setup;

#[derive(clap::Args)]
#[command(after_help = recipe::help())]
pub struct Args {
    /// Kernels to measure, by name, with what they are compared with; all if none is
    /// given. Each is built
    #[arg(
        long = "kernel",
        env = "KERNELS",
        value_name = "NAME",
        value_delimiter = ' '
    )]
    kernels: Vec<String>,
}

pub fn run(ctx: &Context, args: &Args) -> Result<Outcome> {
    ctx.refuse_kdir()?;
    let mut recipes = recipe::select(&method::words(&args.kernels))?;
    setup::ensure(ctx)?;
    let skipped = skip_gcc(ctx, &mut recipes);
    if let Some(skipped) = &skipped {
        eprintln!("{skipped}");
    }
    let mut costs = Costs::default();
    for (position, recipe) in recipes.iter().enumerate() {
        let (number, all) = (position + 1, recipes.len());
        eprintln!("kernel {number} of {all}: {}", recipe.name);
        measure(ctx, recipe, &mut costs)?;
    }
    if recipes.is_empty() {
        return Ok(Outcome::Skip);
    }
    print!("{costs}");
    if let Some(skipped) = &skipped {
        println!("{skipped}");
    }
    let dir = ctx.results()?;
    fs::write(dir.join("probe-cost.txt"), costs.lines())?;
    draw(&costs, &dir.join("probe-cost.svg"))?;
    println!("numbers and plot: {}/probe-cost.{{txt,svg}}", dir.display());
    if costs.deaths().iter().any(Target::failed) {
        return Ok(Outcome::VmDied);
    }
    Ok(report::outcome(&[costs.target()]))
}

/// Leaves out what takes plugins of GCC if there are none, and says so.
fn skip_gcc(ctx: &Context, recipes: &mut Vec<&Recipe>) -> Option<String> {
    let is_gcc = |recipe: &&Recipe| recipe.compiler == Compiler::Gcc;
    if !recipes.iter().any(is_gcc) {
        return None;
    }
    let error = setup::ensure_gcc_plugins(ctx).err()?;
    let names: Vec<_> = recipes.extract_if(.., |recipe| is_gcc(recipe)).collect();
    let names: Vec<_> = names.iter().map(|recipe| recipe.name).collect();
    let names = names.join(", ");
    Some(format!(
        "skipped: {names}: CONFIG_GCC_PLUGINS cannot be had: {error:#}"
    ))
}

fn measure(ctx: &Context, recipe: &'static Recipe, costs: &mut Costs) -> Result<()> {
    let kernel = Kernel::build(ctx, recipe.compiler, &recipe.asked(ctx)?)?;
    let code = margin::code(&kernel.build.join("vmlinux"))?;
    ensure!(
        recipe.may_have(code.checked),
        "{}: {} functions of the kernel in {} check the stack, which its configuration \
         does not explain",
        recipe.name,
        code.checked,
        kernel.build.display()
    );
    let modules = match recipe.ftrace {
        Ftrace::Calling => vec![modules::ftrace_noop(ctx, &kernel)?],
        Ftrace::Absent | Ftrace::Idle => Vec::new(),
    };
    let archive = guest::pack(ctx, &kernel, &modules)?;
    for method in recipe.methods() {
        let subject = Subject {
            title: &format!("probe-cost, {}", recipe.name),
            kernel: &kernel,
            method,
        };
        match subject.measure(ctx, &archive)? {
            Some((measured, apart)) => {
                costs.add(Row::new(recipe, method, &measured.prices, &code)?, apart);
            }
            None => costs.died.push((recipe, method)),
        }
    }
    Ok(())
}

/// Each row in percent of what it is compared with.
fn draw(costs: &Costs, path: &Path) -> Result<()> {
    let groups = costs.rows.iter().filter_map(|row| {
        let base = match row.recipe.base() {
            Some(_) => costs.compared_with(row)?,
            None => row,
        };
        let pairs = row.prices.iter().zip(base.prices);
        let percents = pairs.map(|(price, first)| 100.0 * price / first);
        Some((row.label(), percents.collect()))
    });
    let groups: Vec<_> = groups.collect();
    if groups.is_empty() {
        return Ok(());
    }
    let bars = Bars {
        title: "Instructions per operation, with checks of the stack",
        unit: "% of the same kernel without",
        series: &COLUMNS.map(|index| OPERATIONS[index].name),
        groups,
    };
    bars.write(path)
}
