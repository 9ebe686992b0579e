#!/bin/sh
# Every script of the project, under shellcheck; skipped where there is none.
set -eu
cd "$(dirname "$0")/../.."
command -v shellcheck >/dev/null || { echo "skipped: shellcheck is not installed"; exit 0; }
# Everything that begins like a shell script, whatever its name, but for frozen bundles.
git ls-files --cached --others --exclude-standard tests packaging .ci templates/install.sh ':!tests/golden' | while read -r file; do
    if head -n 1 "$file" | grep -Eq '^#!.*/(env )?(ba|da)?sh'; then echo "$file"; fi
done | xargs shellcheck --external-sources --source-path=SCRIPTDIR --source-path=tests
