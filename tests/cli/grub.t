#!/bin/bash
# GRUB itself against kiln's reading of its configurations: what the default entry loads. grub-emu
# runs each of tests/grub/cases on both kinds of firmware. Where it answers alike, kiln answers the
# same; where it does not, kiln says that it cannot know. A case whose first line has "unknown:" is
# one that kiln does not follow, for the reason given there.
. "$(dirname "$0")/lib.sh"
cases=$top/tests/grub/cases
cd "$tmp" || exit 1

# GRUB quotes arguments that have blanks; see grub_create_loader_cmdline().
line_of() {
    awk '/^argument/ { sub(/^argument /, ""); blank = / /; gsub(/[\\"'\'']/, "\\\\&")
             printf "%s%s%s%s", n++ ? " " : "", blank ? "\"" : "", $0, blank ? "\"" : "" }
         END { print "" }' <<<"$1"
}
of_grub() {
    local said
    said=$("$top/tests/grub/ask-grub" "$1" "$2" "$3")
    case $said in
    kernel*) grep '^kernel' <<<"$said"; line_of "$said"; grep '^initrd' <<<"$said" ;;
    *) echo none ;;
    esac
}
of_kiln() {
    "$kiln" inspect --json "$1" | jq -r 'if .boot then "kernel \(.boot.kernel)", (.boot.command_line | gsub("\n"; "~")),
        (.boot.initrds[] | "initrd \(.)")
        elif .no_boot | test("no Linux|loads no kernel|no entry|does not exist") then "none"
        else "unknown: \(.no_boot)" end'
}
judge() { # CASE
    local name pc efi mine
    name=$(basename "$1" .case)
    "$top/tests/grub/make-image" "$1" "$name.img"
    pc=$(of_grub "$name.img" pc i386)
    efi=$pc
    if grep -qE 'grub_(platform|cpu)' "$1"; then efi=$(of_grub "$name.img" efi x86_64); fi
    mine=$(of_kiln "$name.img")
    if [[ $(head -1 "$1") == *unknown:* || $pc != "$efi" ]]; then
        like "$mine" '^unknown: ' "$name: kiln says that it cannot know"
    else
        is "$mine" "$pc" "$name: kiln answers as GRUB"
    fi
    rm -f "$name.img"
}
for case in "$cases"/*.case; do judge "$case"; done
finish
