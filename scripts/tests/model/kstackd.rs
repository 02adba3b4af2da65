// SPDX-License-Identifier: GPL-2.0
//! What kstackd can do next.

use crate::state::{Config, KSTACKD, Life, State, Worker};
use crate::step::{Step, Steps, wake};

impl Steps<'_> {
    pub fn kstackd(&mut self, c: usize) {
        if let Some(t) = self.from.waking {
            return self.wake_unlisted(c, t.into());
        }
        match self.from.worker {
            Worker::Idle if self.from.wanted => self.push(Step::KstackdStart(c), |s| {
                s.wanted = false;
                try_again(s);
            }),
            Worker::Idle => self.sleep(c, KSTACKD),
            Worker::LastBank(first) => match self.lacks(first, self.cfg.last_bank()) {
                None => self.unlist_critical(c, 0, self.from.nr_listed(), true),
                Some(_) if self.from.free == 0 => {
                    self.unlist_critical(c, 0, self.from.nr_listed(), false);
                }
                Some(cpu) => self.fill(c, cpu, Worker::LastBank(cpu as u8)),
            },
            Worker::Critical {
                after,
                left,
                has_last_banks,
            } => self.unlist_critical(c, after, left, has_last_banks),
            Worker::Ordinary {
                cpu,
                has_last_banks,
                some_wait,
            } => self.fill_with_ordinary(c, cpu, has_last_banks, some_wait),
            Worker::Kill { has_last_banks } => self.kill_for_memory(c, has_last_banks),
            Worker::Batch { left } => {
                self.unlist_oldest(c, left);
                self.push(Step::KstackdTryAgain(c), try_again);
            }
            Worker::Through(first) => match self.lacks(first, self.cfg.reserve()) {
                None if self.from.nr_listed() > 0 => self.unlist(c, 1, Worker::LastBank(0)),
                Some(cpu) if self.from.free > 0 => self.fill(c, cpu, Worker::Through(cpu as u8)),
                _ => self.push(Step::KstackdTryAgain(c), try_again),
            },
        }
    }

    /// The first of the CPUs that has less in its reserve.
    fn lacks(&self, first: u8, size: u8) -> Option<usize> {
        (first.into()..self.cfg.cpus).find(|&cpu| self.from.cpus[cpu].reserve < size)
    }

    fn fill(&mut self, c: usize, cpu: usize, worker: Worker) {
        self.push(Step::KstackdFill(c, cpu), |s| {
            s.free -= 1;
            s.cpus[cpu].reserve += 1;
            s.worker = worker;
        });
    }

    fn fill_with_ordinary(&mut self, c: usize, first: u8, has_last_banks: bool, some_wait: bool) {
        let ordinary = self.from.free > self.cfg.set_aside();
        match self.lacks(first, self.cfg.reserve()) {
            None if self.from.nr_listed() == 0 => {
                self.push(Step::KstackdIsDone(c), |s| s.worker = Worker::Idle);
            }
            None => self.unlist_oldest(c, self.from.nr_listed()),
            Some(cpu) if ordinary => {
                let worker = Worker::Ordinary {
                    cpu: cpu as u8,
                    has_last_banks,
                    some_wait,
                };
                self.fill(c, cpu, worker);
            }
            Some(_) if some_wait && self.cfg.kill => self.push(Step::KstackdLacksPages(c), |s| {
                s.worker = Worker::Kill { has_last_banks };
            }),
            Some(_) => self.push(Step::KstackdTryAgain(c), try_again),
        }
    }

    fn kill_for_memory(&mut self, c: usize, has_last_banks: bool) {
        let cfg = self.cfg;
        let set_aside = if has_last_banks { cfg.set_aside() } else { 0 };
        if self.from.somebody_exits(cfg) {
            self.push(Step::KstackdTryAgain(c), try_again);
        } else if self.from.free > set_aside && !self.from.oom_locked {
            self.push(Step::KstackdFindsPage(c), |s| called_oom_killer(cfg, s));
        } else {
            self.out_of_memory(c);
        }
    }

    /// Who comes to the list meanwhile is behind `left` and has to wait.
    fn unlist_critical(&mut self, c: usize, after: u8, left: u8, has_last_banks: bool) {
        let end = after + left;
        let woken = |&place: &u8| {
            let thread = self.from.at_place(place);
            self.from.threads[thread].life != Life::Wait
                || has_last_banks && wakes_for_last_bank(self.cfg, self.from, thread)
        };
        match (after + 1..=end).find(woken) {
            Some(place) => {
                let after = place - 1;
                let left = end - after;
                let worker = Worker::Critical {
                    after,
                    left,
                    has_last_banks,
                };
                self.unlist(c, place, worker);
            }
            None => self.push(Step::KstackdLeavesOthers(c), |s| {
                s.worker = Worker::Ordinary {
                    cpu: 0,
                    has_last_banks,
                    some_wait: end > 0,
                };
            }),
        }
    }

    fn unlist_oldest(&mut self, c: usize, left: u8) {
        self.unlist(c, 1, Worker::Batch { left });
    }

    fn unlist(&mut self, c: usize, place: u8, worker: Worker) {
        let t = self.from.at_place(place);
        let waking = Some(t as u8);
        if self.cfg.unlist_first {
            self.push(Step::KstackdUnlist(c, t), |s| {
                s.worker = worker;
                s.waking = waking;
                unlist(s, t);
            });
        } else if self.pi_lock_is_free(t) {
            self.push(Step::KstackdWake(c, t), |s| {
                s.worker = worker;
                s.waking = waking;
                wake(s, t, Life::Wait);
            });
        }
    }

    fn wake_unlisted(&mut self, c: usize, t: usize) {
        if !self.cfg.unlist_first {
            self.push(Step::KstackdUnlist(c, t), |s| {
                s.waking = None;
                unlist(s, t);
            });
        } else if self.from.locked {
            self.push(Step::KstackdWake(c, t), |s| {
                s.locked = false;
                s.waking = None;
                wake(s, t, Life::Wait);
            });
        } else if self.pi_lock_is_free(t) {
            self.push(Step::KstackdLock(c, t), |s| s.locked = true);
        }
    }
}

/// When each CPU has one.
fn wakes_for_last_bank(cfg: &Config, s: &State, t: usize) -> bool {
    cfg.wake_critical && s.may_take_last_bank(cfg, t) || !cfg.wake_when_full
}

/// Whether `t`, about to be woken, did not wait when kstackd looked at it, but does now.
pub fn was_parked_just_then(cfg: &Config, s: &State, t: usize) -> bool {
    let forgets = match s.worker {
        Worker::Critical { has_last_banks, .. } => {
            !has_last_banks || !wakes_for_last_bank(cfg, s, t)
        }
        _ => false,
    };
    forgets && s.threads[t].life == Life::Wait
}

/// The OOM killer was called, for what it was worth.
pub fn called_oom_killer(cfg: &Config, s: &mut State) {
    match s.worker {
        Worker::Kill {
            has_last_banks: true,
        } if cfg.let_through => s.worker = Worker::Through(0),
        _ => try_again(s),
    }
}

/// The next round.
pub fn try_again(s: &mut State) {
    s.worker = Worker::LastBank(0);
}

/// Takes a thread off the list, also of what kstackd looks at.
pub fn unlist(s: &mut State, t: usize) {
    let place = std::mem::take(&mut s.threads[t].place);
    if place == 0 {
        return;
    }
    for thread in &mut s.threads {
        if thread.place > place {
            thread.place -= 1;
        }
    }
    match &mut s.worker {
        Worker::Critical { after, .. } if place <= *after => *after -= 1,
        Worker::Critical { after, left, .. } if place <= *after + *left => *left -= 1,
        Worker::Batch { left } if place <= *left => *left -= 1,
        _ => (),
    }
    if s.worker == (Worker::Batch { left: 0 }) {
        s.worker = Worker::Idle;
    }
}
