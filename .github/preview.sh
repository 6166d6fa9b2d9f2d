#!/usr/bin/env bash
# What `make preview` says of each stack named, with the policy pack's verdicts, in Markdown. Ends with an error when one
# can't be previewed, or is refused.
set -uo pipefail
cd "$(dirname "$0")/.."

failed=0
for stack in "$@"; do
  said=$(make --no-print-directory preview STACK="$stack" ARGS="--policy-pack policies --non-interactive" 2>&1)
  case $? in
    0) verdict="passes" ;;
    *) verdict="**fails**" failed=1 ;;
  esac
  printf '### `%s` %s\n\n<details><summary>preview</summary>\n\n````\n%s\n````\n\n</details>\n\n' "$stack" "$verdict" "$said"
done
exit $failed
