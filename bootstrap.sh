#!/bin/sh
# Runs a TypeScript file with the Node.js that this project pins, on any machine that has npm:
# installs what package-lock.json asks for when it is not there yet, then becomes that Node.js
# (exec), so that a signal sent to npm reaches the program itself.
#
#   sh ./bootstrap.sh <file.ts> [arguments]
set -eu

cd "$(dirname "$0")"

pinned=node_modules/node/bin/node
installed=node_modules/.package-lock.json
lock=.bootstrap-lock
holder_lock=.bootstrap-lock-holder

is_installed() {
  # npm writes its hidden lockfile last, so it stands for a finished install.
  [ -f "$installed" ] && [ -z "$(find package-lock.json -newer "$installed")" ]
}

# Two first starts at once would empty each other's node_modules: the second waits for the first.
# flock lets go by itself however its holder ends; without it the lock names its process.
lock_install() {
  if command -v flock >/dev/null 2>&1; then
    exec 9>"$lock"
    flock 9
    return
  fi
  while ! ln -s "$$" "$holder_lock" 2>/dev/null; do
    holder=$(readlink "$holder_lock" 2>/dev/null || true)
    if [ -n "$holder" ] && ! kill -0 "$holder" 2>/dev/null; then
      rm -f "$holder_lock"
    fi
    sleep 1
  done
}

unlock_install() {
  if command -v flock >/dev/null 2>&1; then
    exec 9>&-
  else
    rm -f "$holder_lock"
  fi
}

stop_install() {
  trap - INT TERM HUP
  kill "$npm_pid" 2>/dev/null || true
  wait "$npm_pid" 2>/dev/null || true
  rm -f "$installed"
  unlock_install
  exit 143
}

install() {
  echo 'Installing the packages of package-lock.json (once, about a minute)' >&2
  # Until npm has finished, nothing may look finished.
  rm -f "$installed"
  # In the background, because a shell that waits for a foreground child hears no signal.
  npm ci --include=dev --loglevel=error --no-fund --no-audit </dev/null >&2 &
  npm_pid=$!
  trap stop_install INT TERM HUP
  failure=0
  wait "$npm_pid" || failure=$?
  if [ "$failure" -ne 0 ]; then
    rm -f "$installed"
    echo 'The packages could not be installed: see the messages of npm above, then try again' >&2
    unlock_install
    exit "$failure"
  fi
  trap - INT TERM HUP
}

if ! is_installed; then
  if ! command -v npm >/dev/null 2>&1; then
    echo 'npm is not on the PATH: install Node.js with npm, then try again' >&2
    exit 1
  fi
  lock_install
  # Another start may have finished the install while this one waited.
  is_installed || install
  unlock_install
fi

# Files are stripped of their types and compiled once, not at every start.
export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE:-$PWD/node_modules/.cache/compile}"

# A token service makes much garbage and keeps little: a heap that grows late and two pools of
# malloc instead of one for each thread halve its memory and cost it no speed.
export MALLOC_ARENA_MAX="${MALLOC_ARENA_MAX:-2}"
set -- --max-semi-space-size=8 --heap-growing-percent=40 "$@"

if [ -x "$pinned" ]; then
  exec "$pinned" "$@"
fi

major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)
if [ "$major" -ge 24 ]; then
  exec node "$@"
fi

echo 'The pinned Node.js is missing because its install script did not run: allow it with "npm rebuild node --ignore-scripts=false", or install Node.js 24 or newer' >&2
exit 1
