// SPDX-License-Identifier: GPL-2.0
//! The command line.

use clap::Parser;

use crate::context::Options;

/// Builds, boots, tests and measures a kernel with dynamic stacks.
#[derive(Parser)]
#[command(name = "dynstack")]
pub struct Cli {
    #[command(flatten)]
    pub options: Options,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(clap::Subcommand)]
pub enum Command {
    /// Make the kernel tree: the source with the series applied, one commit a patch
    Tree,
    /// Write patches/ from the commits of a kernel tree
    Refresh(crate::refresh::Args),
    /// Show what dynamic stacks save: boot `off` and `lend`, compare, draw a plot
    Demo(crate::demo::Args),
    /// Run the selftests in a VM, once for each method
    Test(crate::test::Args),
    /// Count instructions per operation, `off` against `lend`
    Bench(crate::bench::Args),
}
