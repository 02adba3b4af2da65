// SPDX-License-Identifier: GPL-2.0
//! A guest that holds nothing but an archive of files: no device that the host
//! answers at a pace of its own.

use std::path::Path;
use std::process::Command;

use super::Vm;
use crate::needs::QEMU;

/// The kernel logs to the first serial port, the program writes to the second.
const PORTS: [&str; 4] = ["-serial", "chardev:log", "-serial", "chardev:output"];

pub fn command(vm: &Vm, initrd: &Path, init: &str, args: &[String]) -> Command {
    let mut command = Command::new(QEMU);
    command
        .args(["-nodefaults", "-no-user-config", "-display", "none"])
        .args(["-chardev", "file,id=log,path=/dev/stderr"])
        .args(["-chardev", "stdio,id=output,signal=off"])
        .args(PORTS)
        // How the program ends the machine.
        .arg("-no-reboot")
        .args(["-smp", &vm.cpus.to_string()])
        .args(["-m", &format!("{}M", vm.memory_mib)])
        .arg("-kernel")
        .arg(&vm.image)
        .arg("-initrd")
        .arg(initrd);
    for arg in &vm.qemu_args {
        command.args(arg.split(' '));
    }
    let fixed = ["console=ttyS0".to_string(), format!("rdinit=/{init}")];
    let words = [&fixed, &vm.kernel_args[..], &["--".to_string()], args].concat();
    command.args(["-append", &words.join(" ")]);
    command
}
