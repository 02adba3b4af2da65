// SPDX-License-Identifier: GPL-2.0

use anyhow::Result;

use crate::context::Context;
use crate::outcome::Outcome;

#[derive(clap::Args)]
pub struct Args {}

pub fn run(_ctx: &Context, _args: &Args) -> Result<Outcome> {
    anyhow::bail!("bench is not available")
}
