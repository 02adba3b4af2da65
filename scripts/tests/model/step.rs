// SPDX-License-Identifier: GPL-2.0
//! What can happen next: all steps that CPUs and threads can take.

use crate::kstackd::{called_oom_killer, unlist};
use crate::state::{At, Config, IDLE, KSTACKD, Life, REAPER, State, THREADS, Thread, USERS};
use crate::stock::Admission;

/// A step by its CPU, and the thread that it is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    Switch {
        cpu: usize,
        to: usize,
        kept: u8,
    },
    Stay(usize),
    /// The switch follows. Until then the last thread may still map.
    Admit(usize, usize),
    Deny(usize, usize),
    /// `thread->__state = STACK_WAIT`.
    SetState(usize, usize),
    List(usize, usize),
    Dequeue(usize, usize),
    /// kstackd has its pi_lock: it is not parked, and will be picked again.
    Busy(usize, usize),
    Refill(usize),
    /// A stack fault, or a check that found less than its margin.
    Map(usize, usize),
    Allocate(usize, usize),
    Free(usize, usize),
    Exit(usize, usize),
    /// By whoever runs on the CPU, for want of memory.
    Kill(usize, usize),
    /// kstackd does not get oom_lock.
    OomLocked(usize),
    /// kstackd tries again: a victim has memory still.
    AwaitVictim(usize),
    Panic(usize),
    Reap(usize, usize),
    KstackdStart(usize),
    /// By a CPU, of a CPU.
    KstackdFill(usize, usize),
    KstackdUnlist(usize, usize),
    /// `raw_spin_lock(&thread->pi_lock)`
    KstackdLock(usize, usize),
    KstackdWake(usize, usize),
    /// Nobody else on the list may take the last bank.
    KstackdLeavesOthers(usize),
    KstackdLacksPages(usize),
    /// A page that was freed meanwhile: nobody is killed.
    KstackdFindsPage(usize),
    KstackdTryAgain(usize),
    KstackdIsDone(usize),
    Sleep(usize, usize),
}

pub type Next = Result<State, &'static str>;

pub struct Steps<'a> {
    pub cfg: &'a Config,
    pub from: &'a State,
    pub out: &'a mut Vec<(Step, Next)>,
}

pub fn steps(cfg: &Config, from: &State, out: &mut Vec<(Step, Next)>) {
    out.clear();
    if from.panicked {
        return;
    }
    let mut steps = Steps { cfg, from, out };
    for cpu in 0..cfg.cpus {
        steps.of_cpu(cpu);
    }
    let before = from.pages(cfg);
    for (_, next) in out {
        if next.is_ok_and(|next| next.pages(cfg) != before) {
            *next = Err("a page was lost or counted twice");
        }
    }
}

impl Steps<'_> {
    pub fn push(&mut self, step: Step, change: impl FnOnce(&mut State)) {
        let mut next = *self.from;
        change(&mut next);
        self.out.push((step, Ok(next)));
    }

    pub fn fail(&mut self, step: Step, why: &'static str) {
        self.out.push((step, Err(why)));
    }

    fn of_cpu(&mut self, c: usize) {
        let cpu = self.from.cpus[c];
        if self.cfg.maps {
            self.map(c, cpu.cur.into());
        }
        match cpu.at {
            At::Run => {
                self.of_thread(c, cpu.cur.into());
                // With a spinlock held it is not preempted.
                if usize::from(cpu.cur) != KSTACKD || !self.from.locked {
                    self.pick(c);
                }
            }
            At::Pick => self.pick(c),
            At::Refill => self.refill(c),
            At::Admitted(t) => self.switch(c, t.into()),
            At::Denied(t) => self.set_state(c, t),
            At::Stated(t) => self.list(c, t),
            At::Listed(t) => self.push(Step::Dequeue(c, t.into()), |s| {
                s.threads[usize::from(t)].queued = false;
                s.cpus[c].at = At::ToIdle;
                s.cpus[c].kick = true;
            }),
            At::ToIdle if usize::from(cpu.cur) == IDLE => self.stay(c),
            At::ToIdle => self.switch(c, IDLE),
        }
    }

    /// Whatever the CPU does, as long as it is on the stack of the thread.
    fn map(&mut self, c: usize, t: usize) {
        let empty = self.from.threads.get(t).map_or(0, |thread| thread.empty);
        if empty > 0 && self.from.cpus[c].banks() + self.from.cpus[c].reserve > 0 {
            self.push(Step::Map(c, t), |s| {
                s.threads[t].empty -= 1;
                let cpu = &mut s.cpus[c];
                match [&mut cpu.spare, &mut cpu.lent]
                    .into_iter()
                    .find(|bank| **bank != 0)
                {
                    Some(bank) => *bank &= *bank - 1,
                    None => cpu.reserve -= 1,
                }
            });
        }
    }

    fn set_state(&mut self, c: usize, t: u8) {
        let thread = usize::from(t);
        if !self.pi_lock_is_free(thread) {
            return self.push(Step::Busy(c, thread), |s| s.cpus[c].at = At::ToIdle);
        }
        self.push(Step::SetState(c, thread), |s| {
            s.threads[thread].life = Life::Wait;
            s.cpus[c].at = At::Stated(t);
        });
    }

    fn list(&mut self, c: usize, t: u8) {
        let thread = usize::from(t);
        // Being killed wakes a thread and leaves it on the list.
        if self.from.threads[thread].listed() && !self.cfg.list_once {
            return self.fail(Step::List(c, thread), "a thread is added to the list twice");
        }
        self.push(Step::List(c, thread), |s| {
            if !s.threads[thread].listed() {
                s.threads[thread].place = s.nr_listed() + 1;
            }
            s.cpus[c].at = At::Listed(t);
        });
    }

    fn stay(&mut self, c: usize) {
        self.push(Step::Stay(c), |s| {
            s.cpus[c].at = At::Run;
            unlock(s, c);
        });
    }

    /// The run queue is locked from here to the end of a switch.
    fn pick(&mut self, c: usize) {
        let cpu = self.from.cpus[c];
        let cur = usize::from(cpu.cur);
        let others = &self.from.cpus[..self.cfg.cpus];
        let mut nobody = true;
        for t in 0..THREADS {
            if !self.from.runnable(self.cfg, t) || others.iter().any(|o| o.picked() == Some(t)) {
                continue;
            }
            nobody = false;
            match self.judge(c, t) {
                Admission::Admitted if self.cfg.maps => {
                    self.push(Step::Admit(c, t), |s| s.cpus[c].at = At::Admitted(t as u8));
                    continue;
                }
                Admission::Admitted => {
                    self.switch(c, t);
                    continue;
                }
                Admission::AfterIdle => {
                    self.switch(c, IDLE);
                    continue;
                }
                Admission::Denied => (),
            }
            if self.from.threads[t].empty == 0 && t >= USERS {
                self.fail(Step::Deny(c, t), "a thread that frees memory was denied");
            } else if self.cfg.parking {
                self.push(Step::Deny(c, t), |s| s.cpus[c].at = At::Denied(t as u8));
            } else if cur == IDLE {
                self.push(Step::Deny(c, t), |s| s.cpus[c].at = At::Run);
            } else {
                self.switch(c, IDLE);
            }
        }
        if cpu.at != At::Pick {
            return;
        }
        let goes_on = cur < THREADS && self.from.threads[cur].life == Life::Running;
        if goes_on || cur == IDLE && nobody {
            self.stay(c);
        } else if nobody {
            self.switch(c, IDLE);
        }
    }

    fn of_thread(&mut self, c: usize, t: usize) {
        match t {
            KSTACKD => self.kstackd(c),
            REAPER => self.reaper(c),
            IDLE => (),
            _ if self.cfg.is_user(t) => self.user(c, t),
            _ => (),
        }
    }

    fn user(&mut self, c: usize, t: usize) {
        let thread = self.from.threads[t];
        if thread.killed {
            if thread.listed() && !self.cfg.list_holds {
                return self.fail(Step::Exit(c, t), "a dead thread is on the list");
            }
            return self.push(Step::Exit(c, t), |s| {
                let thread = &mut s.threads[t];
                s.free += thread.user;
                thread.user = 0;
                thread.life = Life::Dead;
                thread.queued = false;
                // Nothing comes of waking it: forget it, to have fewer states.
                unlist(s, t);
                s.waking = s.waking.filter(|&waking| usize::from(waking) != t);
                s.locked &= s.waking.is_some();
                s.cpus[c].at = At::Pick;
            });
        }
        if thread.user < self.cfg.user {
            if self.from.free > self.cfg.min {
                self.push(Step::Allocate(c, t), |s| {
                    s.free -= 1;
                    s.threads[t].user += 1;
                });
            } else {
                self.out_of_memory(c);
            }
        }
        if thread.user > 1 {
            self.push(Step::Free(c, t), |s| {
                s.free += 1;
                s.threads[t].user -= 1;
            });
        }
    }

    pub fn out_of_memory(&mut self, c: usize) {
        let cfg = self.cfg;
        let reaper = cfg.reaper;
        // In the time that a victim is given, kstackd uses all pages for it.
        let may_run = self.from.free > 0 || self.from.has_last_banks(self.cfg);
        let awaited = |t: &Thread| t.killed && t.user > 0 && (reaper || may_run || !t.parked());
        let by_kstackd = usize::from(self.from.cpus[c].cur) == KSTACKD;
        if self.from.oom_locked {
            if by_kstackd && cfg.trylock {
                self.push(Step::OomLocked(c), |s| called_oom_killer(cfg, s));
            }
            return;
        }
        if self.from.threads.iter().any(awaited) {
            if by_kstackd {
                self.push(Step::AwaitVictim(c), |s| called_oom_killer(cfg, s));
            }
            return;
        }
        let mut nobody = true;
        for t in 0..USERS {
            let victim = self.from.threads[t];
            if !self.cfg.is_user(t) || victim.killed || victim.life == Life::Dead {
                continue;
            }
            nobody = false;
            if !self.pi_lock_is_free(t) {
                continue;
            }
            self.push(Step::Kill(c, t), |s| {
                s.threads[t].killed = true;
                wake(s, t, Life::Wait);
                if reaper {
                    wake(s, REAPER, Life::Sleep);
                }
                if by_kstackd {
                    called_oom_killer(cfg, s);
                }
            });
        }
        if nobody {
            self.push(Step::Panic(c), |s| s.panicked = true);
        }
    }

    fn reaper(&mut self, c: usize) {
        let victim = (0..USERS).find(|&t| {
            let thread = &self.from.threads[t];
            thread.killed && thread.user > 0
        });
        match victim {
            Some(t) => self.push(Step::Reap(c, t), |s| {
                s.free += s.threads[t].user;
                s.threads[t].user = 0;
            }),
            None => self.sleep(c, REAPER),
        }
    }

    pub fn sleep(&mut self, c: usize, t: usize) {
        self.push(Step::Sleep(c, t), |s| {
            s.threads[t].life = Life::Sleep;
            s.threads[t].queued = false;
            s.cpus[c].at = At::Pick;
        });
    }

    /// A wake-up waits for it.
    pub fn pi_lock_is_free(&self, t: usize) -> bool {
        let thread = &self.from.threads[t];
        let being_parked = thread.life == Life::Wait && thread.queued;
        !(being_parked || self.from.locked && self.from.waking == Some(t as u8))
    }
}

/// `wake_up_state()`: nothing happens if the thread is not in this state.
pub fn wake(s: &mut State, t: usize, state: Life) {
    let thread = &mut s.threads[t];
    if thread.life == state {
        thread.life = Life::Running;
        thread.queued = true;
    }
}

/// Interrupts are on again.
pub fn unlock(s: &mut State, c: usize) {
    if s.cpus[c].kick {
        s.cpus[c].kick = false;
        wake_kstackd(s);
    }
}

pub fn wake_kstackd(s: &mut State) {
    s.wanted = true;
    wake(s, KSTACKD, Life::Sleep);
}
