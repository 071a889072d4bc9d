# One voice for every script: `say` tells what is being done, `fail` ends with one sentence.
say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }
fail() { printf 'pilothouse: %s\n' "$*" >&2; exit 1; }
