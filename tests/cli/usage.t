#!/bin/bash
# What a newcomer tries first: help, version, mistakes.
. "$(dirname "$0")/lib.sh"

ok '--help works' "$kiln" --help
lines=$(wc -l <<<"$out")
[ "$lines" -le 24 ] && pass "it fits one screen ($lines lines)" || fail "it fits one screen ($lines lines)"
is "$(awk 'length > 80' <<<"$out")" '' 'and 80 columns'
for command in list notes build seed boot inspect cache doctor; do
    like "$out" "  $command " "it lists $command"
done
for command in list notes build seed boot inspect cache doctor; do
    ok "kiln $command --help works" "$kiln" "$command" --help
    like "$out" "Usage: kiln $command" "and shows its usage"
    is "$(awk 'length > 80' <<<"$out" | grep -v '^  kiln ')" '' "in 80 columns ($command)"
    is "$("$kiln" help "$command")" "$out" "kiln help $command is the same"
done
ok '--version works' "$kiln" --version
like "$out" '^kiln [0-9]+\.[0-9]+\.[0-9]+$' 'and prints one line'
fails 2 'Usage' 'no command is wrong usage' "$kiln"
fails 2 "frobnicate.*not a command" 'an unknown command is named' "$kiln" frobnicate
fails 2 'did you mean build' 'a mistyped command is recognised' "$kiln" buidl mini
fails 2 'did you mean --json' 'a mistyped option is recognised' "$kiln" list --jsn
fails 2 '--no is ambiguous.*--no-network' 'an ambiguous abbreviation shows its options' "$kiln" build mini --no
fails 2 '--quiet takes no argument' 'an argument for a flag' "$kiln" list --quie=yes
fails 2 'unlike cloud-localds.*kiln seed -o seed.iso --user-data' "cloud-localds's order of files gets a hint" "$kiln" seed seed.iso user-data
fails 2 "kiln build --help" 'wrong usage points at the help' "$kiln" build
fails 2 'needs an argument' 'an option without its argument' "$kiln" build mini --size
fails 1 'no repository is configured' 'no repository at all' "$kiln" list
like "$err" 'repos\.d' 'tells where to put one'
"$kiln" --help >/dev/full 2>"$tmp/err.txt"
is "$?" 1 'a full standard output is an error'
run "$kiln" doctor --json
is "$(jq -r '.findings | map(.subject) | contains(["KVM", "cache", "qemu-img"])' <<<"$out")" true 'doctor --json lists its findings'
run env PATH=/usr/bin:/bin "$kiln" doctor
like "$out" 'resize2fs' "doctor looks for the administrator's programs"
unlike "$out" 'install e2fsprogs' 'and finds them where PATH does not name /usr/sbin'
run env PATH=/nowhere "$kiln" doctor
is "$status" 1 'doctor fails where the programs are missing'
like "$out" 'install qemu-system-x86' 'and says what to install'
finish
