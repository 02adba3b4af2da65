// SPDX-License-Identifier: GPL-2.0
//! A guest that sees the files of the host, through virtme-ng.

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use super::state::{BEGIN, EXIT};
use super::{TRUST_THE_TIMER, Vm};

/// What the guest's shell is to do, which also finds the programs in `programs`.
pub fn shell_script(programs: &Path, script: &Path, args: &[String]) -> String {
    let script = script.to_string_lossy();
    let words = ["sh", &script].into_iter();
    let words = words.chain(args.iter().map(String::as_str));
    let words: Vec<_> = words.map(quote).collect();
    format!(
        "PATH=$PATH:{}\necho '{BEGIN}'\n{}\necho \"{EXIT}$?\"\n",
        quote(&programs.to_string_lossy()),
        words.join(" ")
    )
}

/// Boots a guest whose shell reads `file`: what vng is to execute goes onto the kernel's
/// command line, which is cut off without a word where it gets too long.
pub fn command(vm: &Vm, vng: &Path, file: &Path) -> Command {
    // vng finds the rest of virtme-ng, installed beside it, on PATH.
    let mut path = vng.parent().map(OsString::from).unwrap_or_default();
    path.push(":");
    path.push(env::var_os("PATH").unwrap_or_default());

    let mut command = Command::new(vng);
    command
        .env("PATH", path)
        .args(["--verbose", "--disable-kvm", "--force-9p", "--user", "root"])
        .args(["--cpus", &vm.cpus.to_string()])
        .args(["--memory", &format!("{}M", vm.memory_mib)])
        .arg("--run")
        .arg(&vm.image)
        .args(["--append", TRUST_THE_TIMER]);
    for arg in &vm.kernel_args {
        command.args(["--append", arg]);
    }
    for arg in &vm.qemu_args {
        command.arg(format!("--qemu-opts={arg}"));
    }
    let file = quote(&file.to_string_lossy());
    command.args(["--exec", &format!("sh {file}")]);
    command
}

/// One word for the shell, whatever is in it.
fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
