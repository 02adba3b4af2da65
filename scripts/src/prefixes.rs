// SPDX-License-Identifier: GPL-2.0
//! `prefixes`: whoever bisects through the series meets no stage that does not
//! build, does not boot, or complains.

mod table;

use std::path::PathBuf;

use anyhow::{Result, ensure};

use self::table::{Cell, Row, Table};
use crate::context::Context;
use crate::initrd::{INIT, Initrd};
use crate::method;
use crate::outcome::Outcome;
use crate::splat::Splats;
use crate::stage::{Stage, Workshop};
use crate::vm::Vm;

/// For `allow` lines of the patterns.
const TEST: &str = "prefixes";

#[derive(clap::Args)]
pub struct Args {
    /// Number of the patch to begin with; 0 is the base
    #[arg(long, env = "FROM", value_name = "NUMBER", default_value = "0")]
    from: usize,
    /// Numbers of the patches to stop after, all of them if none is given
    #[arg(long, env = "ONLY", value_name = "NUMBERS", value_delimiter = ' ')]
    only: Vec<usize>,
}

impl Args {
    fn check(&self, last: usize) -> Result<()> {
        ensure!(
            self.from <= last,
            "FROM must be a patch from 0 to {last}, not {}",
            self.from
        );
        let asked = self.from..=last;
        let missed = self.only.iter().find(|patch| !asked.contains(patch));
        ensure!(
            missed.is_none(),
            "ONLY must be patches from {} to {last}, not {}",
            self.from,
            missed.unwrap_or(&0)
        );
        Ok(())
    }

    fn wants(&self, patch: usize) -> bool {
        patch >= self.from && (self.only.is_empty() || self.only.contains(&patch))
    }
}

pub fn run(ctx: &Context, args: &Args) -> Result<Outcome> {
    let splats = Splats::of(ctx)?;
    let (workshop, stages) = Workshop::open(ctx)?;
    args.check(stages.len() - 1)?;
    let mut lab = Lab {
        ctx,
        workshop,
        splats,
        initrd: Initrd::new(ctx, &ctx.cache.join("boot"), "boot.sh")?.pack()?,
        died: false,
    };
    let mut table = Table::default();
    for (index, stage) in stages.iter().enumerate() {
        if !args.wants(index) {
            continue;
        }
        let mut row = lab.try_stage(stage)?;
        if index + 1 == stages.len() && row.is_plain() {
            row.complain("the complete series does not offer CONFIG_DYNAMIC_STACK");
        }
        table.add(row);
    }
    print!("{table}");
    Ok(match table.failures() {
        _ if lab.died => Outcome::VmDied,
        0 => Outcome::Pass,
        _ => Outcome::Fail,
    })
}

struct Lab<'a> {
    ctx: &'a Context,
    workshop: Workshop<'a>,
    splats: Splats,
    /// All that boots beside the kernel.
    initrd: PathBuf,
    died: bool,
}

impl Lab<'_> {
    fn try_stage(&mut self, stage: &Stage) -> Result<Row> {
        self.workshop.check_out(stage)?;
        let offers = self.workshop.offers();
        let mut row = Row::new(&stage.name);
        if let Err(error) = self.workshop.build(stage, &offers, "bzImage") {
            row.complain(&format!("{error:#}"));
            return Ok(row);
        }
        row.text_bytes = Some(self.workshop.text_bytes()?);
        if offers.is_empty() {
            let cell = self.boot(stage, None)?;
            row.boots.push((table::PLAIN, cell));
        }
        for method in offers.iter().flat_map(|offer| offer.methods) {
            let cell = self.boot(stage, Some(method))?;
            row.boots.push((method, cell));
        }
        Ok(row)
    }

    fn boot(&mut self, stage: &Stage, method: Option<&str>) -> Result<Cell> {
        let name = [Some(stage.name.as_str()), method];
        let name = name.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let kernel = &self.workshop.kernel;
        let mut vm = Vm::new(self.ctx, kernel, &name);
        if let Some(method) = method {
            vm.kernel_args = vec![
                format!("dynamic_stack={method}"),
                "dynamic_stack_check=1".to_string(),
            ];
        }
        vm.end_by_restart();
        let run = vm.run_bare(&self.initrd, INIT, &[])?;
        let mut faults = Vec::new();
        match run.status() {
            Some(0) => {}
            Some(status) => faults.push(run.failure(status)),
            None => {
                self.died = true;
                faults.push("the VM died".to_string());
            }
        }
        let splats = self.splats.find(TEST, &run.console);
        faults.extend(splats.iter().map(|line| format!("kernel log: {line}")));
        if let Some(Err(error)) = method.map(|method| method::stack_kib(method, &run.console)) {
            faults.push(error.to_string());
        }
        Ok(Cell { faults })
    }
}
