// SPDX-License-Identifier: GPL-2.0
//! The stock of a CPU: who may be switched to, what a switch takes, and the refill.

use crate::state::{At, Config, Cpu, Life, State, low};
use crate::step::{Step, Steps, unlock, wake_kstackd};

/// `enum dynamic_stack_admission`
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    Denied,
    AfterIdle,
    Admitted,
}

impl Steps<'_> {
    /// `dynamic_stack_judge()`
    pub fn judge(&self, c: usize, t: usize) -> Admission {
        let cpu = &self.from.cpus[c];
        let thread = &self.from.threads[t];
        if !self.cfg.admission || thread.empty == 0 {
            return Admission::Admitted;
        }
        let mut share = 0;
        let usable = if self.cfg.maps {
            if self.cfg.count_prev {
                let prev = self.from.threads.get(usize::from(cpu.cur));
                share = prev.map_or(0, |prev| prev.empty);
            }
            cpu.banks()
        } else {
            self.pages(self.banks_for(cpu, thread.empty).0, thread.empty)
        };
        let left = if self.cfg.remainder && !self.from.may_take_last_bank(self.cfg, t) {
            self.cfg.last_bank()
        } else if self.cfg.count_in_hand {
            self.cfg.in_hand
        } else {
            0
        };
        match (usable + cpu.reserve).checked_sub(thread.empty + left) {
            None => Admission::Denied,
            Some(rest) if rest < share => Admission::AfterIdle,
            Some(_) => Admission::Admitted,
        }
    }

    /// What counts of a bank for a thread with so many slots empty.
    fn pages(&self, bank: u8, empty: u8) -> u8 {
        let slots = if self.cfg.count_by_slot {
            low(empty)
        } else {
            u8::MAX
        };
        (bank & slots).count_ones() as u8
    }

    /// The spare bank and the other one, which are exchanged if that is better and
    /// nothing of it is lent.
    fn banks_for(&self, cpu: &Cpu, empty: u8) -> (u8, u8) {
        let prev = self.from.threads.get(usize::from(cpu.cur));
        let unused = prev.is_none_or(|prev| prev.empty == 0);
        if unused && self.pages(cpu.lent, empty) > self.pages(cpu.spare, empty) {
            (cpu.lent, cpu.spare)
        } else {
            (cpu.spare, cpu.lent)
        }
    }

    pub fn switch(&mut self, c: usize, to: usize) {
        if self.cfg.maps {
            self.switched(c, to, self.from.cpus[c], 0);
        } else {
            self.lend(c, to);
        }
    }

    /// `dynamic_stack_lend()`, the switch and `dynamic_stack_take_back()`.
    fn lend(&mut self, c: usize, to: usize) {
        let mut cpu = self.from.cpus[c];
        let wanted = self.from.threads.get(to).map_or(0, |next| next.empty);
        (cpu.spare, cpu.lent) = self.banks_for(&cpu, wanted);
        let missing = low(wanted) & !cpu.spare;
        let holes = missing.count_ones() as u8;
        if holes > cpu.reserve {
            let step = Step::Switch {
                cpu: c,
                to,
                kept: 0,
            };
            return self.fail(step, "the reserve is empty at a switch");
        }
        cpu.reserve -= holes;
        cpu.spare |= missing;
        (cpu.spare, cpu.lent) = (cpu.lent, cpu.spare);

        let prev = self.from.threads.get(usize::from(cpu.cur));
        let empty = prev.map_or(0, |prev| prev.empty);
        for kept in 0..=empty {
            let mut cpu = cpu;
            cpu.spare &= !(low(empty) & !low(empty - kept));
            self.switched(c, to, cpu, kept);
        }
    }

    fn switched(&mut self, c: usize, to: usize, mut cpu: Cpu, kept: u8) {
        let prev = usize::from(cpu.cur);
        let slots = self.cfg.slots;
        cpu.cur = to as u8;
        cpu.at = if cpu.full(self.cfg) {
            At::Run
        } else {
            At::Refill
        };
        self.push(Step::Switch { cpu: c, to, kept }, |s| {
            s.cpus[c] = cpu;
            s.oom_locked &= to != 0;
            if let Some(prev) = s.threads.get_mut(prev) {
                prev.empty -= kept;
                if prev.life == Life::Dead {
                    s.free += slots - prev.empty;
                    prev.empty = slots;
                }
            }
            unlock(s, c);
        });
    }

    /// The last bank first, then the banks, in either order, then the rest of the
    /// reserve; up to the first page that it does not get.
    pub fn refill(&mut self, c: usize) {
        let cfg = self.cfg;
        let first = self.out.len();
        let most = 2 * cfg.slots + cfg.reserve();
        let limits = if cfg.refill_may_fail { 0 } else { most }..=most;
        for limit in limits {
            for lent_first in [false, true] {
                self.push(Step::Refill(c), |s| {
                    refill(cfg, s, c, limit, lent_first);
                    s.cpus[c].at = At::Run;
                    // It cannot fill banks.
                    let lacks = s.cpus[c].reserve < cfg.reserve();
                    if cfg.refill_kicks && lacks {
                        wake_kstackd(s);
                    }
                });
                let last = self.out.len() - 1;
                if self.out[first..last].contains(&self.out[last]) {
                    self.out.pop();
                }
            }
        }
    }
}

fn refill(cfg: &Config, s: &mut State, c: usize, limit: u8, lent_first: bool) {
    let mut left = limit;
    let free = &mut s.free;
    let mut take = |set_aside| {
        let got = left > 0 && *free > set_aside;
        left -= u8::from(got);
        *free -= u8::from(got);
        got
    };
    let cpu = &mut s.cpus[c];
    while cpu.reserve < cfg.last_bank() && take(0) {
        cpu.reserve += 1;
    }
    let mut banks = [&mut cpu.spare, &mut cpu.lent];
    if lent_first {
        banks.reverse();
    }
    for bank in banks {
        for slot in 0..cfg.slots {
            if *bank & 1 << slot == 0 && take(cfg.set_aside()) {
                *bank |= 1 << slot;
            }
        }
    }
    while cpu.reserve < cfg.reserve() && take(cfg.set_aside()) {
        cpu.reserve += 1;
    }
}
