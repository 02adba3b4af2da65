// SPDX-License-Identifier: GPL-2.0
//! `margin`: how much stack can be used between two checks of the compiler, proven
//! from the image. `dynamic_stack=probe` must keep so much mapped below a check.

mod alternatives;
mod body;
mod calls;
mod circles;
mod code;
mod depth;
mod entries;
mod image;
mod orc;
mod proof;
mod spots;
mod table;
mod taken;
mod walk;
mod words;

use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use self::image::Image;
use self::proof::{MARGIN, Proof};
use crate::context::Context;
use crate::fragment;
use crate::kconfig::Config;
use crate::kernel::Kernel;
use crate::outcome::Outcome;
use crate::plot::Bars;
use crate::report::Target;

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    configs: fragment::Args,
    /// Calls through pointers in a row, from functions without a check
    #[arg(long, env = "INDIRECT", default_value_t = 1,
          value_parser = clap::value_parser!(u8).range(0..=16))]
    indirect: u8,
}

pub fn run(ctx: &Context, args: &Args) -> Result<Outcome> {
    let dir = ctx.results()?;
    let (mut failed, mut compared) = (false, false);
    for fragment in args.configs.select(ctx)? {
        let kernel = Kernel::ensure(ctx, fragment.as_ref())?;
        let config = kernel.config()?;
        let image = Image::read(&kernel.build.join("vmlinux"))?;
        ensure!(
            image.symbol(calls::CHECK).is_some(),
            "no {} in vmlinux: it needs CONFIG_DYNAMIC_STACK_PROBE or CONFIG_KSTACK_ERASE",
            calls::CHECK
        );
        let nodes = calls::graph(&image)?;
        let proof = Proof::new(&nodes, args.indirect.into(), margin(&config)?);
        print!("{proof}");
        let name = fragment.map_or_else(String::new, |fragment| format!("-{}", fragment.name));
        let plot = dir.join(format!("margin{name}.svg"));
        draw(&proof, &plot)?;
        println!("plot: {}", plot.display());
        compared |= proof.margin.is_some();
        failed |= proof.targets().iter().any(Target::failed);
    }
    Ok(match (failed, compared) {
        (true, _) => Outcome::Fail,
        (false, true) => Outcome::Pass,
        (false, false) => Outcome::Skip,
    })
}

/// What a compiler made.
pub struct Code {
    pub text_bytes: u64,
    /// How many functions check the stack.
    pub checked: usize,
}

pub fn code(vmlinux: &Path) -> Result<Code> {
    let image = Image::read(vmlinux)?;
    let text = image.section(".text");
    let text = text.with_context(|| format!("no .text in {}", vmlinux.display()))?;
    Ok(Code {
        text_bytes: text.end() - text.start,
        checked: calls::checked(&image),
    })
}

/// None if the kernel has no such method.
fn margin(config: &Config) -> Result<Option<i64>> {
    match config.value(MARGIN) {
        "n" => Ok(None),
        value => value
            .parse()
            .map(Some)
            .with_context(|| format!("{MARGIN}={value} is no number")),
    }
}

fn draw(proof: &Proof, path: &Path) -> Result<()> {
    let bars = Bars {
        title: "Unchecked chains",
        unit: "functions",
        series: &["direct", "with pointers"],
        groups: proof.ranges(),
    };
    bars.write(path)
}
