// SPDX-License-Identifier: GPL-2.0
//! The state machine of one VM run. It sees lines, time and the end of the
//! process; it does no input or output itself.

use std::time::Duration;

/// First line that the guest's script prints.
pub const BEGIN: &str = "@dynstack begin";
/// Followed by the exit status of the guest's script.
pub const EXIT: &str = "@dynstack exit ";
/// In the first line of every kernel's log.
const BANNER: &str = "Linux version ";

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// The emulator starts, the kernel has said nothing yet.
    Starting,
    /// The kernel logs, the guest's script has not begun.
    Booted,
    /// The guest's script runs.
    Running,
    /// The script ended; only powering off is left.
    Finished { status: u8 },
    /// The kernel panicked, or the emulator ended before the script did.
    Died { reason: String },
    /// Nothing was printed, or the script did not end, in the time allowed.
    Hung { reason: String },
}

/// What a run can meet.
#[derive(Debug)]
pub enum Input<'a> {
    /// A line of the kernel log.
    Console(&'a str),
    /// A line that the guest's script printed.
    Output(&'a str),
    /// Nothing came for so long.
    Silence(Duration),
    /// The run as a whole took so long.
    Overtime(Duration),
    /// The emulator ended, with this description of its exit status.
    Exit(&'a str),
}

impl State {
    /// No input changes this state any more.
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Finished { .. } | Self::Died { .. } | Self::Hung { .. }
        )
    }

    pub fn step(self, input: &Input) -> Self {
        match (self, input) {
            (state, _) if state.is_final() => state,
            (state, Input::Console(line)) => match panic_reason(line) {
                Some(reason) => Self::Died {
                    reason: reason.to_string(),
                },
                // The two channels are not in step: the script may have begun.
                None if state == Self::Starting && line.contains(BANNER) => Self::Booted,
                None => state,
            },
            (state, Input::Output(line)) => match exit_status(line) {
                Some(status) => Self::Finished { status },
                None if *line == BEGIN => Self::Running,
                None => state,
            },
            (state, Input::Silence(time)) => Self::Hung {
                reason: format!("no output for {} s while {}", time.as_secs(), state.doing()),
            },
            (state, Input::Overtime(time)) => Self::Hung {
                reason: format!("still {} after {} s", state.doing(), time.as_secs()),
            },
            (state, Input::Exit(status)) => Self::Died {
                reason: format!("the VM ended ({status}) while {}", state.doing()),
            },
        }
    }

    fn doing(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Booted => "booting",
            Self::Running => "running the guest's script",
            Self::Finished { .. } | Self::Died { .. } | Self::Hung { .. } => "ending",
        }
    }
}

fn panic_reason(line: &str) -> Option<&str> {
    line.find("Kernel panic - not syncing")
        .map(|start| &line[start..])
}

fn exit_status(line: &str) -> Option<u8> {
    line.strip_prefix(EXIT)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(inputs: &[Input]) -> State {
        inputs.iter().fold(State::Starting, State::step)
    }

    #[test]
    fn script_ends_with_its_status() {
        let state = run(&[
            Input::Console("[    0.000000] Linux version 7.3.4"),
            Input::Output(BEGIN),
            Input::Output("ok 1 something"),
            Input::Output("@dynstack exit 4"),
            Input::Exit("exit status: 0"),
        ]);
        assert_eq!(state, State::Finished { status: 4 });
    }

    #[test]
    fn late_banner_does_not_go_back() {
        let state = run(&[
            Input::Output(BEGIN),
            Input::Console("[    0.000000] Linux version 7.3.4"),
        ]);
        assert_eq!(state, State::Running);
    }

    #[test]
    fn panic_is_death_with_its_line() {
        let state = run(&[
            Input::Output(BEGIN),
            Input::Console("[    9.1] Kernel panic - not syncing: corrupted stack end"),
            Input::Exit("exit status: 255"),
        ]);
        let reason = "Kernel panic - not syncing: corrupted stack end".to_string();
        assert_eq!(state, State::Died { reason });
    }

    #[test]
    fn early_end_says_what_was_going_on() {
        let state = run(&[
            Input::Console("[    0.0] Linux version 7.3.4"),
            Input::Exit("signal: 9"),
        ]);
        let reason = "the VM ended (signal: 9) while booting".to_string();
        assert_eq!(state, State::Died { reason });
    }

    #[test]
    fn silence_is_a_hang_unless_the_script_ended() {
        let silence = || Input::Silence(Duration::from_secs(60));
        let reason = "no output for 60 s while running the guest's script".to_string();
        assert_eq!(
            run(&[Input::Output(BEGIN), silence()]),
            State::Hung { reason }
        );
        assert_eq!(
            run(&[Input::Output("@dynstack exit 0"), silence()]),
            State::Finished { status: 0 }
        );
    }

    #[test]
    fn overtime_is_a_hang() {
        let reason = "still starting after 600 s".to_string();
        assert_eq!(
            run(&[Input::Overtime(Duration::from_secs(600))]),
            State::Hung { reason }
        );
    }
}
