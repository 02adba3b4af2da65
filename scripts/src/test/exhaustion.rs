// SPDX-License-Identifier: GPL-2.0
//! `test-exhaustion`: more threads than there is memory for, in small guests with one,
//! two and four CPUs, under each method.

use anyhow::{Result, ensure};

use super::judge::Judge;
use super::matrix::Matrix;
use super::{Boot, guest, outcome};
use crate::context::Context;
use crate::fragment;
use crate::initrd::INIT;
use crate::kernel::Kernel;
use crate::method;
use crate::modules::Modules;
use crate::outcome::Outcome;
use crate::setup;
use crate::suite::Suite;
use crate::vm::Vm;

const TEST: &str = "exhaust";
const CPUS: [u32; 3] = [1, 2, 4];
/// With the files of the guest in it, this leaves half for threads.
const MEMORY_MIB: u32 = 96;

#[derive(clap::Args)]
pub struct Args {
    /// Methods to run it under
    #[arg(long, env = "METHODS", value_delimiter = ' ', default_values = method::ALL)]
    methods: Vec<String>,
    /// Numbers of CPUs of the guest, from 1 to 8
    #[arg(long, env = "CPUS", value_delimiter = ' ')]
    cpus: Vec<String>,
    #[command(flatten)]
    boot: Boot,
    #[command(flatten)]
    configs: fragment::Args,
}

pub fn run(ctx: &Context, args: &Args) -> Result<Outcome> {
    let methods = method::select(&args.methods)?;
    let cpus = select_cpus(&method::words(&args.cpus))?;
    let fragments = args.configs.select(ctx)?;
    setup::ensure(ctx)?;
    let judge = Judge::new(ctx)?;

    let (mut died, mut matrix) = (false, Matrix::default());
    for fragment in &fragments {
        let config = fragment::suffix(fragment.as_ref());
        let kernel = Kernel::ensure(ctx, fragment.as_ref())?;
        let suite = Suite::build(ctx, &kernel)?;
        let modules = Modules::ensure(ctx, &kernel)?;
        let initrd = guest::initrd(ctx, &suite, &modules, &ctx.cache.join(TEST))?.pack()?;
        let guest_args = guest::args(&suite, &modules, &[TEST.to_string()]);
        for cpus in &cpus {
            for method in &methods {
                let column = format!("{method}, {cpus} CPU{config}");
                let name = format!("{TEST}, {column}");
                let mut vm = Vm::new(ctx, &kernel, &name);
                args.boot.apply(method, &mut vm);
                vm.end_by_restart();
                vm.cpus = *cpus;
                vm.memory_mib = MEMORY_MIB;
                vm.quiet = suite.timeout;
                vm.total = suite.timeout * 2;
                let run = vm.run_bare(&initrd, INIT, &guest_args)?;
                died |= run.status().is_none();
                judge.add(&column, &run, &[TEST.to_string()], &mut matrix);
            }
        }
    }
    print!("{matrix}");
    Ok(outcome(matrix.counts().failed, matrix.passed(), died))
}

fn select_cpus(asked: &[String]) -> Result<Vec<u32>> {
    if asked.is_empty() {
        return Ok(CPUS.into());
    }
    let numbers = asked.iter().map(|word| {
        let number = word.parse().unwrap_or(0);
        ensure!(
            (1..=8).contains(&number),
            "CPUS={word}: expected numbers from 1 to 8"
        );
        Ok(number)
    });
    numbers.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpus_are_numbers_that_the_kernel_has() {
        let select = |word: &str| select_cpus(&[word.to_string()]);
        assert_eq!(select_cpus(&[]).unwrap(), [1, 2, 4]);
        assert_eq!(select("8").unwrap(), [8]);
        for word in ["0", "9", "two", "-1"] {
            let error = select(word).unwrap_err().to_string();
            assert!(error.contains("from 1 to 8"), "{error}");
        }
    }
}
