#!/bin/bash
# Both engines do the same: each operation of `kiln build`, in-process and through libguestfs, on the
# same base; then the trees are compared path by path: type, mode, owner, size, link target, content.
. "$(dirname "$0")/../cli/lib.sh"
use_test_repo
cd "$tmp" || exit 1

ssh-keygen -q -t ed25519 -N '' -C both@engines -f key
head -c 3000000 /dev/urandom >payload
chmod 640 payload
operations=(
    --hostname both.example.org --timezone Europe/Berlin
    --mkdir /srv/deep/er --write '/srv/deep/er/file:some words' --write '/etc/motd:replaced'
    --upload payload:/srv/payload --upload payload:/root
    --append-line '/etc/motd:a line' --append-line '/etc/new-list:first' --delete /etc/shells
    --copy /srv/deep:/srv/copied --copy /srv/payload:/srv/payload-too --link /etc/motd:/srv/link
    --chmod 2751:/srv/payload-too --chown 70000:8:/srv/copied --move /srv/copied/er/file:/srv/moved
    --truncate /root/payload --scrub /srv/payload-too --touch '/srv/touched'
    --root-password password:secret --ssh-inject root:file:key.pub --delete '/etc/inittab*'
)
for engine in native appliance; do
    ok "builds by the $engine engine" "$kiln" build -v mini -o $engine.img --engine $engine "${operations[@]}"
    like "$out" "Engine: $engine" "and says so"
    ok "$engine: the file system is clean" fsck_clean $engine.img 1
done

# What is left out is random by its purpose: the salt of the hash and the random seed.
dump() {
    mkdir "$1"
    debugfs -R "rdump / $1" "$1.img?offset=$(partition_offset "$1.img" 1)" >/dev/null 2>&1
    sed -i -E 's/^(root:)\$[^:]*/\1HASH/' "$1/etc/shadow"
    (cd "$1" && find . -path ./lost+found -prune -o -printf '%P %y %m %U:%G %l\n' | sort)
    (cd "$1" && find . -type f ! -name random-seed -exec sha256sum {} + | sort -k2)
}
dump native >native.list
dump appliance >appliance.list
differences=$(diff native.list appliance.list | head -n 40)
is "$differences" '' 'the trees are equal, path by path'
like "$(cat native.list)" 'srv/payload f 640' 'and hold what was asked for'
like "$(cat native.list)" 'etc/localtime l' 'links among it'
finish
