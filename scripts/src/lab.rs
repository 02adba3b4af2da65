// SPDX-License-Identifier: GPL-2.0
//! Guests with the files of the host, in which a script uses modules and selftests.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::context::Context;
use crate::kernel::Kernel;
use crate::method;
use crate::modules::Modules;
use crate::suite::Suite;
use crate::tools::Tools;
use crate::vm::Vm;

pub struct Lab<'a> {
    ctx: &'a Context,
    tools: Tools,
    pub kernel: Kernel,
    modules: Modules,
    selftests: PathBuf,
}

impl<'a> Lab<'a> {
    /// With the usual kernel, or that in KDIR.
    pub fn new(ctx: &'a Context) -> Result<Self> {
        let kernel = Kernel::ensure(ctx, None)?;
        Ok(Self {
            ctx,
            tools: Tools::ensure(ctx)?,
            modules: Modules::ensure(ctx, &kernel)?,
            selftests: Suite::build(ctx, &kernel)?.dir,
            kernel,
        })
    }

    pub fn vm(&self, name: &str) -> Vm {
        let mut vm = Vm::new(self.ctx, &self.kernel, name);
        vm.quiet = Duration::from_secs(600);
        vm
    }

    /// What `script` of scripts/guest/ prints under `method`: it gets two modules, the
    /// selftests and `args`. None if the VM died.
    pub fn run(
        &self,
        mut vm: Vm,
        method: &str,
        script: &str,
        args: &[String],
    ) -> Result<Option<Vec<String>>> {
        vm.kernel_args = vec![format!("dynamic_stack={method}")];
        let paths = [&self.modules.stats, &self.modules.stress, &self.selftests];
        let paths = paths.map(|path| path.display().to_string());
        let script = self.ctx.root.join("scripts/guest").join(script);
        let run = vm.run(&self.tools.vng, &script, &[&paths[..], args].concat())?;
        match run.status() {
            None => Ok(None),
            Some(0) => {
                method::stack_kib(method, &run.console)?;
                Ok(Some(run.output))
            }
            Some(status) => bail!("{}", run.failure(status)),
        }
    }
}
