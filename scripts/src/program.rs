// SPDX-License-Identifier: GPL-2.0
//! Programs that are installed into the cache, each in one known version.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::context::Context;
use crate::{needs, process, progress};

#[derive(Clone, Copy, Debug)]
pub enum Program {
    Bindgen,
    Drgn,
    VirtmeNg,
}

impl Program {
    pub const ALL: [Self; 3] = [Self::Bindgen, Self::Drgn, Self::VirtmeNg];

    pub fn name(self) -> &'static str {
        match self {
            Self::Bindgen => "bindgen",
            Self::Drgn => "drgn",
            Self::VirtmeNg => "virtme-ng",
        }
    }

    fn version(self) -> &'static str {
        match self {
            Self::Bindgen => "0.73.2",
            Self::Drgn => "0.3.0",
            Self::VirtmeNg => "1.42",
        }
    }

    fn dir(self, ctx: &Context) -> PathBuf {
        ctx.tools()
            .join(format!("{}-{}", self.name(), self.version()))
    }

    pub fn dir_of_programs(self, ctx: &Context) -> PathBuf {
        self.dir(ctx).join("bin")
    }

    pub fn path(self, ctx: &Context) -> PathBuf {
        self.dir_of_programs(ctx).join(match self {
            Self::Bindgen | Self::Drgn => self.name(),
            Self::VirtmeNg => "vng",
        })
    }

    pub fn probe(self, ctx: &Context) -> Result<String, String> {
        process::read(Command::new(self.path(ctx)).arg("--version"))
            .map_err(|_| format!("{} {} is not installed", self.name(), self.version()))
    }

    pub fn install(self, ctx: &Context) -> Result<()> {
        let dir = self.dir(ctx);
        if dir.exists() {
            fs::remove_dir_all(&dir)?;
        }
        let title = format!("install {} {}", self.name(), self.version());
        let log = ctx.log(self.name());
        match self {
            Self::Bindgen => {
                let mut cargo = Command::new("cargo");
                cargo.args([
                    "install",
                    "--locked",
                    "bindgen-cli",
                    "--version",
                    self.version(),
                    "--root",
                ]);
                progress::run(&title, &log, None, cargo.arg(&dir))
            }
            Self::Drgn | Self::VirtmeNg => {
                let python = needs::python().context("no python3 can make virtual environments")?;
                process::read(Command::new(python).args(["-m", "venv"]).arg(&dir))?;
                let mut pip = Command::new(dir.join("bin/python3"));
                pip.args([
                    "-m",
                    "pip",
                    "install",
                    &format!("{}=={}", self.name(), self.version()),
                ]);
                progress::run(&title, &log, None, &mut pip)
            }
        }
    }
}
