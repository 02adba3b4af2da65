#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Builds the host program, installing what that takes, and becomes it.
set -euo pipefail

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# A directory for each checkout: cargo takes what another one built for its own.
host=${XDG_CACHE_HOME:-$HOME/.cache}/dynstack/host-$(printf %s "$project" | sha256sum | cut -c1-12)
binary=$host/release/dynstack
mkdir -p "$host"

# Rust that knows what the program uses, and a linker: asked, not guessed by version.
can_build() {
	[ -x "$1/cargo" ] && "$1/cargo" --version >&/dev/null &&
		echo 'fn main() { std::io::pipe().unwrap(); }' |
		PATH="$1:$PATH" rustc --edition 2024 -o "$host/probe" - >&/dev/null
}

find_cargo() {
	for dir in "$(dirname "$(command -v cargo || echo /usr/bin/cargo)")" /usr/bin; do
		if can_build "$dir"; then
			PATH=$dir:$PATH
			return
		fi
	done
	return 1
}

# Debian's releases get, beside their own Rust, a newer one for browsers.
# shellcheck disable=SC2016 # for the shell of root, after the update
install='apt-get update && apt-get install -y --no-install-recommends $(apt-cache pkgnames cargo-web | grep -x cargo-web || echo cargo) gcc libc6-dev ca-certificates'

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		echo "dynstack: neither root nor sudo" >&2
		return 1
	fi
}

if ! find_cargo; then
	as_root env DEBIAN_FRONTEND=noninteractive sh -c "$install" || {
		echo "dynstack: no Rust to build the host program with; run this as root:" >&2
		echo "  $install" >&2
		exit 69
	}
	find_cargo || {
		echo "dynstack: this cargo cannot build the host program; it takes Rust 1.87:" \
			"enable the updates of the release, or use rustup" >&2
		exit 69
	}
fi

[ ! -x "$binary" ] || quiet=--quiet
cargo build ${quiet:+"$quiet"} --release --locked \
	--manifest-path "$project/scripts/Cargo.toml" --target-dir "$host" || exit 69
cd "$project"
exec "$binary" "$@"
