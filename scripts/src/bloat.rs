// SPDX-License-Identifier: GPL-2.0
//! `bloat`: who does not enable CONFIG_DYNAMIC_STACK pays nothing for the series.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::context::Context;
use crate::needs;
use crate::outcome::Outcome;
use crate::process;
use crate::stage::Workshop;

/// How the first line of bloat-o-meter begins if no symbol changed.
const UNCHANGED: &str = "add/remove: 0/0 grow/shrink: 0/0 ";

pub fn run(ctx: &Context) -> Result<Outcome> {
    let (workshop, stages) = Workshop::open(ctx)?;
    let dir = ctx.results()?;
    let mut images = Vec::new();
    let ends = [stages.first(), stages.last()];
    for (stage, name) in ends.into_iter().flatten().zip(["base", "series"]) {
        workshop.check_out(stage)?;
        workshop.build(stage, &[], "vmlinux")?;
        let image = dir.join(format!("vmlinux-{name}"));
        fs::copy(workshop.vmlinux(), &image)?;
        images.push(image);
    }
    let python = needs::python().context("no python3")?;
    let mut meter = Command::new(python);
    meter.arg(workshop.tree.dir.join("scripts/bloat-o-meter"));
    let report = process::read(meter.args(&images))?;
    println!("{report}");
    Ok(if report.starts_with(UNCHANGED) {
        Outcome::Pass
    } else {
        Outcome::Fail
    })
}
