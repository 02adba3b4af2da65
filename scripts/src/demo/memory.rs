// SPDX-License-Identifier: GPL-2.0
//! What the guest measured, under one method.

use anyhow::{Context as _, Result};

use crate::ktap::{self, Test};
use crate::kv::Values;
use crate::section::{self, Section};

/// Memory at one moment; all sizes in kB.
#[derive(Debug)]
pub struct Memory {
    pub page: f64,
    pub total: f64,
    /// MemFree and the free pages that it leaves out: those on the lists of the CPUs.
    pub free: f64,
    pub kernel_stack: f64,
    /// What the CPUs hold to lend.
    pub stock: f64,
    pub threads: f64,
}

#[derive(Debug)]
pub struct Measured {
    pub boot: Memory,
    pub parked: Memory,
    pub stressed: Memory,
    /// The results of the stress tests.
    pub stress: Vec<Test>,
    /// Pages lent and kept since boot, from debugfs.
    pub lends: u64,
    pub keeps: u64,
}

impl Memory {
    fn read(section: &Section) -> Result<Self> {
        let values = Values::parse(section.lines.iter().map(String::as_str));
        let number = |key| values.number::<f64>(key);
        let page = number("page_kb")?;
        let stock = number("nr_dynamic_stack_stock").context("is CONFIG_DYNAMIC_STACK=y?")?;
        Ok(Self {
            page,
            total: number("MemTotal")?,
            free: number("MemFree")? + number("free_on_lists")? * page,
            kernel_stack: number("KernelStack")?,
            stock: stock * page,
            threads: number("threads")?,
        })
    }

    pub fn pages_per_thread(&self) -> f64 {
        self.kernel_stack / self.page / self.threads
    }
}

impl Measured {
    pub fn read(output: &[String]) -> Result<Self> {
        let sections = section::split(output);
        let find = |name: &str| {
            let found = sections.iter().find(|section| section.name == name);
            found.with_context(|| format!("the guest printed no part {name:?}"))
        };
        let memory = |name| Memory::read(find(name)?).with_context(|| format!("part {name:?}"));
        let summary = find("summary")?.lines.iter().map(String::as_str);
        let summary = Values::parse(summary);
        let stress = find("stress")?.lines.iter();
        Ok(Self {
            boot: memory("boot")?,
            parked: memory("parked")?,
            stressed: memory("stressed")?,
            stress: ktap::parse(stress.map(String::as_str))?,
            lends: summary.number("lends")?,
            keeps: summary.number("keeps")?,
        })
    }

    /// What the parked threads added to KernelStack.
    pub fn stacks_of_parked(&self) -> f64 {
        self.parked.kernel_stack - self.boot.kernel_stack
    }

    /// What the parked threads took from the free memory, all in all.
    pub fn taken_by_parked(&self) -> f64 {
        self.boot.free - self.parked.free
    }
}
