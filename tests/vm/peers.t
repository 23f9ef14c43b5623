#!/bin/bash
# kiln and the peers understand each other: virt-builder reads our repository, kiln reads one published
# by virt-builder-repository, and libguestfs sees what the native engine wrote.
. "$(dirname "$0")/../cli/lib.sh"
use_test_repo
cd "$tmp" || exit 1

# virt-builder takes our repos.d file as it is. VIRT_BUILDER_DIRS keeps it from its built-in
# repositories, which it would not survive offline.
mkdir -p "$XDG_CONFIG_HOME/virt-builder/repos.d"
cp "$XDG_CONFIG_HOME/kiln/repos.d/kiln-test.conf" "$XDG_CONFIG_HOME/virt-builder/repos.d/"
run env VIRT_BUILDER_DIRS=/nonexistent virt-builder --list
is "$status" 0 'virt-builder accepts our index and its signature'
[ "$status" -eq 0 ] || show | sed 's/^/# /'
like "$out" 'debian-12 ' 'and lists debian-12'
rm -r "$XDG_CONFIG_HOME/virt-builder"

export GNUPGHOME=$tmp/gnupg
mkdir -m 700 "$GNUPGHOME"
on_exit+=('gpgconf --kill all 2>/dev/null')
# A repository published and signed by virt-builder-repository.
mkdir theirs
ok 'an image for it' "$kiln" build -q mini -o theirs/tiny.img --hostname tiny
gpg -q --batch --passphrase '' --quick-gen-key 'Peer <peer@example.org>' default default never 2>/dev/null
peer=$(gpg --batch --with-colons --list-keys peer@example.org | awk -F: '/^fpr/ {print $10; exit}')
cat >theirs/index <<'END'
[tiny]
name=Tiny
file=tiny.img
arch=x86_64
END
# Its own --gpg-key does not work in Debian 12's build; signing afterwards is what its manual offers.
run virt-builder-repository --no-compression theirs
is "$status" 0 'virt-builder-repository publishes'
[ "$status" -eq 0 ] || printf '# %s\n' "$(tail -n 3 <<<"$err")"
gpg -q --batch --local-user "$peer" --clearsign --output theirs/index.asc theirs/index
gpg -q --batch --armor --export "$peer" >theirs.asc
printf '[theirs]\nuri=file://%s/theirs/index.asc\ngpgkey=file://%s/theirs.asc\n' "$tmp" "$tmp" >"$XDG_CONFIG_HOME/kiln/repos.d/theirs.conf"
run "$kiln" list
like "$out" 'tiny ' 'kiln lists what virt-builder-repository published'
ok 'and builds from it' "$kiln" build tiny -o from-theirs.img --write '/etc/motd:from theirs'

# Another reader than libext2fs looks at a natively edited image.
run guestfish --ro -a from-theirs.img -i cat /etc/motd : cat /etc/hostname
is "$out" $'from theirs\ntiny' 'libguestfs reads what the native engine wrote'
finish
