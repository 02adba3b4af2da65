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
                None => self.unlist_critical(c, 0, self.from.nr_listed()),
                Some(_) if self.from.free == 0 => self.push(Step::KstackdLacksLastBank(c), |s| {
                    s.worker = Worker::Ordinary {
                        cpu: 0,
                        has_last_banks: false,
                    };
                }),
                Some(cpu) => self.fill(c, cpu, Worker::LastBank(cpu as u8)),
            },
            Worker::Critical { after, left } => self.unlist_critical(c, after, left),
            Worker::Ordinary {
                cpu,
                has_last_banks,
            } => self.fill_with_ordinary(c, cpu, has_last_banks),
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

    fn fill_with_ordinary(&mut self, c: usize, first: u8, has_last_banks: bool) {
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
                };
                self.fill(c, cpu, worker);
            }
            Some(_) => {
                let enough = !has_last_banks && self.from.free > 0;
                let waits = self.from.nr_listed() > 0 && !self.from.somebody_exits(self.cfg);
                if enough || !waits || !self.cfg.kill {
                    self.push(Step::KstackdTryAgain(c), try_again);
                } else {
                    self.out_of_memory(c);
                }
            }
        }
    }

    /// Who comes to the list meanwhile is behind `left` and has to wait.
    fn unlist_critical(&mut self, c: usize, after: u8, left: u8) {
        let end = after + left;
        let woken = |&place: &u8| {
            let critical = self
                .from
                .may_take_last_bank(self.cfg, self.from.at_place(place));
            critical && self.cfg.wake_critical || !self.cfg.wake_when_full
        };
        match (after + 1..=end).find(woken) {
            Some(place) => {
                let after = place - 1;
                let left = end - after;
                self.unlist(c, place, Worker::Critical { after, left });
            }
            None => self.push(Step::KstackdLeavesOthers(c), |s| {
                s.worker = Worker::Ordinary {
                    cpu: 0,
                    has_last_banks: true,
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

/// The OOM killer was called, for what it was worth.
pub fn called_oom_killer(cfg: &Config, s: &mut State) {
    if cfg.let_through && s.has_last_banks(cfg) {
        s.worker = Worker::Through(0);
    } else {
        try_again(s);
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
        Worker::Critical { after, left } if place <= *after + *left => *left -= 1,
        Worker::Batch { left } if place <= *left => *left -= 1,
        _ => (),
    }
    if s.worker == (Worker::Batch { left: 0 }) {
        s.worker = Worker::Idle;
    }
}
