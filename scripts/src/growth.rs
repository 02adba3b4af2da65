// SPDX-License-Identifier: GPL-2.0
//! `growth`: which functions make stacks grow, under each method.

mod comparison;
mod record;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use self::comparison::{Column, Comparison};
use self::record::Record;
use crate::context::Context;
use crate::lab::Lab;
use crate::method;
use crate::outcome::Outcome;
use crate::plot::Bars;
use crate::report;

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

pub fn run(ctx: &Context, args: &Args) -> Result<Outcome> {
    let asked = method::words(&args.methods);
    let mut methods = method::select(&asked)?;
    let lab = Lab::new(ctx)?;
    if asked.is_empty() {
        let config = lab.kernel.config()?;
        methods.retain(|method| *method != "off" && method::is_in(method, &config));
    }
    let mut columns = Vec::new();
    for method in methods {
        let Some(record) = record(&lab, method)? else {
            return Ok(Outcome::VmDied);
        };
        columns.push(Column { method, record });
    }
    let comparison = Comparison::new(columns, args.top as usize);
    print!("{comparison}");

    let dir = ctx.results()?;
    fs::write(dir.join("growth.txt"), comparison.lines())?;
    draw(&comparison, &dir.join("growth.svg"))?;
    println!("numbers and plot: {}/growth.{{txt,svg}}", dir.display());
    Ok(report::outcome(&comparison.targets()))
}

/// None if the VM died.
fn record(lab: &Lab, method: &str) -> Result<Option<Record>> {
    let name = format!("growth, {method}");
    let output = lab.run(lab.vm(&name), method, "growth.sh", &[]);
    let output = output.with_context(|| name)?;
    output.map(|lines| Record::read(&lines)).transpose()
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
