// SPDX-License-Identifier: GPL-2.0
//! Builds, boots, tests and measures a kernel with dynamic stacks.

mod apt;
mod bench;
mod cli;
mod context;
mod demo;
mod git;
mod hash;
mod kernel;
mod modules;
mod outcome;
mod process;
mod progress;
mod refresh;
mod series;
mod source;
mod test;
mod tools;
mod tree;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::cli::{Cli, Command};
use crate::context::Context;
use crate::outcome::Outcome;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = dispatch(cli).unwrap_or_else(|error| {
        eprintln!("dynstack: {error:#}");
        Outcome::Infrastructure
    });
    outcome.into()
}

fn dispatch(cli: Cli) -> Result<Outcome> {
    let ctx = Context::new(cli.options)?;
    match cli.command {
        Command::Tree => tree::run(&ctx),
        Command::Refresh(args) => refresh::run(&ctx, &args),
        Command::Demo(args) => demo::run(&ctx, &args),
        Command::Test(args) => test::run(&ctx, &args),
        Command::Bench(args) => bench::run(&ctx, &args),
    }
}
