// SPDX-License-Identifier: GPL-2.0
//! Builds, boots, tests and measures a kernel with dynamic stacks.

mod apt;
mod archive;
mod bench;
mod bloat;
mod check;
mod check_env;
mod checkpatch;
mod clean;
mod cli;
mod context;
mod demo;
mod finding;
mod fragment;
mod git;
mod growth;
mod hash;
mod initrd;
mod kbuild;
mod kconfig;
mod kdir;
mod kernel;
mod ktap;
mod kv;
mod lab;
mod llvm;
mod margin;
mod method;
mod modules;
mod needs;
mod outcome;
mod plot;
mod prefixes;
mod probe_cost;
mod process;
mod program;
mod progress;
mod refresh;
mod report;
mod rustc;
mod section;
mod series;
mod setup;
mod source;
mod splat;
mod stage;
mod suite;
mod test;
mod tools;
mod tree;
mod vm;

use std::process::ExitCode;

use crate::cli::{Cli, Command};
use crate::context::Context;
use crate::outcome::Outcome;
use anyhow::Result;

fn main() -> ExitCode {
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(message) if message.use_stderr() => return Outcome::Infrastructure.into(),
        Err(_) => return Outcome::Pass.into(),
    };
    let outcome = dispatch(cli).unwrap_or_else(|error| {
        eprintln!("dynstack: {error:#}");
        Outcome::Infrastructure
    });
    outcome.into()
}

fn dispatch(cli: Cli) -> Result<Outcome> {
    let ctx = Context::new(cli.options)?;
    match cli.command {
        Command::CheckEnv => check_env::run(&ctx),
        Command::Setup => setup::run(&ctx),
        Command::Tree => tree::run(&ctx),
        Command::Refresh(args) => refresh::run(&ctx, &args),
        Command::Kernel(args) => kernel::run(&ctx, &args),
        Command::Modules => modules::run(&ctx),
        Command::Check => check::run(&ctx),
        Command::Clean => clean::built(&ctx),
        Command::Distclean => clean::all(&ctx),
        Command::Demo(args) => demo::run(&ctx, &args),
        Command::Test(args) => test::run(&ctx, &args),
        Command::TestKernel(args) => test::suites::run(&ctx, &args),
        Command::TestMachine(args) => test::machine::run(&ctx, &args),
        Command::TestExhaustion(args) => test::exhaustion::run(&ctx, &args),
        Command::TestFred(args) => test::fred::run(&ctx, &args),
        Command::Growth(args) => growth::run(&ctx, &args),
        Command::Bench(args) => bench::run(&ctx, &args),
        Command::ProbeCost(args) => probe_cost::run(&ctx, &args),
        Command::Prefixes(args) => prefixes::run(&ctx, &args),
        Command::Bloat => bloat::run(&ctx),
        Command::Margin(args) => margin::run(&ctx, &args),
    }
}
