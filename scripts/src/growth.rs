// SPDX-License-Identifier: GPL-2.0
//! `growth`: which functions make stacks grow, under each method.

mod comparison;
mod record;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail};

use self::comparison::{Column, Comparison};
use self::record::Record;
use crate::context::Context;
use crate::kconfig::Config;
use crate::kernel::Kernel;
use crate::method;
use crate::modules::Modules;
use crate::outcome::Outcome;
use crate::plot::Bars;
use crate::report::Target;
use crate::suite::Suite;
use crate::tools::Tools;
use crate::vm::Vm;

/// What fits under one bar of the plot.
const LABEL_CHARS: usize = 24;

#[derive(clap::Args)]
pub struct Args {
    /// Methods to compare; all that let stacks grow if none is given
    #[arg(long, env = "METHODS", value_delimiter = ' ')]
    methods: Vec<String>,
    /// Functions to show
    #[arg(long, env = "TOP", default_value_t = 20,
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    top: u32,
}

struct Lab<'a> {
    ctx: &'a Context,
    tools: Tools,
    kernel: Kernel,
    modules: Modules,
    selftests: PathBuf,
}

pub fn run(ctx: &Context, args: &Args) -> Result<Outcome> {
    let asked = method::words(&args.methods);
    let mut methods = method::select(&asked)?;
    let kernel = Kernel::ensure(ctx, None)?;
    if asked.is_empty() {
        let config = Config::read(&kernel.build.join(".config"))?;
        methods.retain(|method| grows(method, &config));
    }
    let lab = Lab {
        ctx,
        tools: Tools::ensure(ctx)?,
        modules: Modules::ensure(ctx, &kernel)?,
        selftests: Suite::build(ctx, &kernel)?.dir,
        kernel,
    };
    let mut columns = Vec::new();
    for method in methods {
        let Some(record) = lab.record(method)? else {
            return Ok(Outcome::VmDied);
        };
        columns.push(Column { method, record });
    }
    let comparison = Comparison::new(columns, args.top as usize);
    print!("{comparison}");

    let dir = ctx.cache.join("results");
    fs::create_dir_all(&dir)?;
    fs::write(dir.join("growth.txt"), comparison.lines())?;
    draw(&comparison, &dir.join("growth.svg"))?;
    println!("numbers and plot: {}/growth.{{txt,svg}}", dir.display());
    Ok(match comparison.targets().iter().any(Target::failed) {
        true => Outcome::Fail,
        false => Outcome::Pass,
    })
}

/// Whether the kernel has the method, and stacks grow with it.
fn grows(method: &str, config: &Config) -> bool {
    match method {
        "off" => false,
        "lend" => true,
        _ => {
            let symbol = format!("CONFIG_DYNAMIC_STACK_{}", method.to_uppercase());
            config.value(&symbol) == "y"
        }
    }
}

impl Lab<'_> {
    /// None if the VM died.
    fn record(&self, method: &str) -> Result<Option<Record>> {
        let name = format!("growth, {method}");
        let mut vm = Vm::new(self.ctx, &self.kernel, &name);
        vm.kernel_args = vec![format!("dynamic_stack={method}")];
        vm.quiet = Duration::from_secs(600);
        let paths = [&self.modules.stats, &self.modules.stress, &self.selftests];
        let script_args = paths.map(|path| path.display().to_string());
        let script = self.ctx.root.join("scripts/guest/growth.sh");
        let run = vm.run(&self.tools.vng, &script, &script_args)?;
        match run.status() {
            None => Ok(None),
            Some(0) => {
                method::stack_kib(method, &run.console)?;
                Record::read(&run.output).map(Some)
            }
            Some(status) => bail!("{name}: {}", run.failure(status)),
        }
    }
}

fn draw(comparison: &Comparison, path: &Path) -> Result<()> {
    let names: Vec<_> = comparison.columns.iter().map(|c| c.method).collect();
    let groups = comparison.top().map(|symbol| {
        let events = comparison.events(symbol).map(|events| events as f64);
        (comparison::shortened(symbol, LABEL_CHARS), events.collect())
    });
    let bars = Bars {
        title: "Functions that make stacks grow",
        unit: "events",
        series: &names,
        groups: groups.collect(),
    };
    bars.write(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_those_of_the_kernel() {
        let config = Config::parse("CONFIG_DYNAMIC_STACK_FAULT=y\n");
        let growing = |method| grows(method, &config);
        assert!(growing("lend") && growing("fault"));
        assert!(!growing("off") && !growing("probe"));
    }
}
