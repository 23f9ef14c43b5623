#!/bin/bash
# kiln customize: what changes, what is told about it, and that whatever fails leaves the image as
# it was.
. "$(dirname "$0")/lib.sh"
use_test_repo
cd "$tmp" || exit 1

# The guest: mini for the whole way, and a tree of a few files for the odd ones.
"$kiln" build mini -q -o mini.img || exit 1
cat_root() { guest_cat "$1" 1 "$2"; }

mkdir -p tree/{etc,usr/bin,usr/lib,tmp,var/log,root}
printf 'ID=debian\nVERSION_ID="12"\n' >tree/usr/lib/os-release
ln -s ../usr/lib/os-release tree/etc/os-release
ln -s usr/bin tree/bin
echo root:x:0:0:root:/root:/bin/sh >tree/etc/passwd
echo 'root:*:19000:0:99999:7:::' >tree/etc/shadow && chmod 640 tree/etc/shadow
echo old >tree/etc/hostname
mkdir -p tree/var/lib/dpkg && : >tree/var/lib/dpkg/status && : >tree/usr/bin/apt-get && chmod 755 tree/usr/bin/apt-get
ln -s b tree/a && ln -s a tree/b
ln -s "../../../../../../../..$tmp/outside" tree/etc/outside
ln -s "$tmp/outside" tree/etc/absolute
ln -s nowhere/file tree/etc/dangling
ln -s new-file tree/etc/creates
small() { rm -f "$1" && mke2fs -q -t ext4 -d tree "$1" "${2:-16M}" >/dev/null 2>&1; }
# An ext4 file system without partitions: what debugfs and e2fsck take as it is.
small_cat() { debugfs -R "cat $2" "$1" 2>/dev/null; }

# The good way.
cp mini.img disk.img
run "$kiln" customize -a disk.img --hostname changed --root-password password:secret --write '/etc/motd:hello'
is "$status" 0 'an image is customized'
like "$out" 'Engine: native' 'no appliance was needed'
unlike "$out$err" 'secret' 'the password is shown nowhere'
is "$(cat_root disk.img /etc/hostname)" changed 'the hostname is set'
is "$(cat_root disk.img /etc/motd)" hello 'the file is written'
ok 'the file system is clean' fsck_clean disk.img 1
ok 'the disk may be an operand' "$kiln" customize disk.img -q --hostname operand
is "$(cat_root disk.img /etc/hostname)" operand 'with the same effect'
ok 'options may follow operations' "$kiln" customize --hostname later -q -a disk.img
is "$(cat_root disk.img /etc/hostname)" later 'in any order'

cp mini.img atomic.img && chmod 640 atomic.img && ln -s atomic.img link.img
ok '--atomic works' "$kiln" customize -q link.img --atomic --hostname atomic
is "$(cat_root atomic.img /etc/hostname)" atomic 'on the file behind a link'
is "$(stat -c %a atomic.img) $(readlink link.img)" '640 atomic.img' 'mode and link are kept'
is "$(find . -maxdepth 1 -name '.*.tmp')" '' 'and nothing is left over'

qemu-img convert -O qcow2 mini.img disk.qcow2
qemu-img create -q -f qcow2 -b mini.img -F raw overlay.qcow2
ok 'qcow2 images are customized' "$kiln" customize -q disk.qcow2 --hostname in-qcow2
ok 'and overlays' "$kiln" customize -q overlay.qcow2 --hostname in-overlay
ok 'also atomically' "$kiln" customize -q overlay.qcow2 --atomic --hostname in-overlay
qemu-img convert -O raw overlay.qcow2 flat.img
is "$(cat_root flat.img /etc/hostname)" in-overlay 'with the change in the overlay'
is "$(cat_root mini.img /etc/hostname)" mini 'and none in its base'

# Marked as having errors, or as not clean: refused with the remedy, and no other engine tries.
for mark in 0 2 3; do
    small marked.img
    debugfs -w -R "ssv state $mark" marked.img 2>/dev/null
    sum=$(sha256sum <marked.img)
    for how in '' -n --atomic; do
        # shellcheck disable=SC2086
        fails 1 'e2fsck .* correct:true' "state $mark is refused $how" "$kiln" customize -v $how marked.img --hostname later
        unlike "$out$err" 'tarting the appliance' 'and the appliance is not started'
    done
    fails 1 'e2fsck' "by sysprep as well ($mark)" "$kiln" sysprep marked.img --operations logfiles
    is "$(sha256sum <marked.img)" "$sum" 'and nothing is changed'
    ok 'it can be inspected' "$kiln" inspect marked.img
    e2fsck -fy marked.img >/dev/null 2>&1
    ok 'and customized once e2fsck was there' "$kiln" customize -q marked.img --hostname later
done

# What is told.
cp mini.img disk.img
sum=$(sha256sum <disk.img)
run "$kiln" customize disk.img -n --diff --hostname rehearsed --root-password password:secret --touch /etc/empty
like "$out" '~ /etc/hostname' 'a dry run names what would change'
like "$out" '\+ /etc/empty' 'and what would be created'
like "$out" $'-mini\n\\+rehearsed' 'with a difference'
like "$out" 'shadow differ \(contents not shown' 'but without what is secret'
is "$(sha256sum <disk.img)" "$sum" 'and leaves the image as it is'
small small.img
run "$kiln" customize small.img --dryrun --run-command 'echo ran' --install nginx
is "$status" 0 '--dryrun is the same'
like "$out" 'would run: --install nginx' 'programs are told'
unlike "$err" 'appliance' 'and not run'
run "$kiln" customize disk.img --json --hostname json
is "$(jq -r '.engine, .dry_run, .operations[0], (.changes[] | select(.path == "/etc/hostname").change)' <<<"$out" | paste -sd' ')" \
    'native false hostname contents' '--json tells engine, operations and changes'
run "$kiln" customize disk.img --json --hostname json
is "$(jq -r '[.changes[].path] | index("/etc/hostname")' <<<"$out")" null 'what is as before did not change'
is "$("$kiln" customize -q disk.img --hostname quiet 2>&1)" '' '--quiet says nothing'
"$kiln" customize -q disk.img --diff --hostname a >forth.diff 2>&1
like "$(cat forth.diff)" $'-quiet\n\\+a' '--diff tells what has changed'

# Wrong usage.
fails 2 'no disk' 'no disk is wrong usage' "$kiln" customize --hostname x
fails 2 'frobnicate' 'an unknown operation is wrong usage' "$kiln" customize mini.img --frobnicate x
fails 2 'root-password.*selector' 'an unknown selector is wrong usage' "$kiln" customize mini.img --root-password bogus:x
fails 2 'format' 'an unknown format is wrong usage' "$kiln" customize --format nonsense -a mini.img
fails 2 'argument' 'a second operand is wrong usage' "$kiln" customize mini.img mini.img
fails 2 'memsize|large' 'a huge --memsize is wrong usage' "$kiln" customize mini.img -m 99999999999999999

# Disks that are none.
fails 1 'absent\.img' 'an absent image is named' "$kiln" customize absent.img --hostname x
mkdir directory
fails 1 'directory' 'a directory is refused' "$kiln" customize directory --hostname x
mkfifo fifo
fails 1 'fifo' 'a FIFO does not hang it' timeout 300 "$kiln" customize fifo --hostname x
fails 1 'nbd://' 'a remote disk is refused' "$kiln" customize -a nbd://host/disk --hostname x
mke2fs -q -t ext4 empty.img 8M >/dev/null 2>&1
fails 1 'no operating system' 'a disk without a system is refused' "$kiln" customize empty.img --hostname x
cp mini.img readonly.img && chmod 444 readonly.img
plain=()
[ "$(id -u)" -ne 0 ] || plain=(setpriv --bounding-set=-all)
fails 1 'readonly\.img' 'a read-only image is refused' "${plain[@]}" "$kiln" customize readonly.img --hostname x
ok 'but a dry run may look at it' "${plain[@]}" "$kiln" customize readonly.img -n --hostname x
hold mini.img
fails 1 'mini\.img.*in use' 'an image that a machine writes to is refused' "$kiln" customize mini.img --hostname x
fails 1 'mini\.img.*in use' 'also with --atomic' "$kiln" customize mini.img --atomic --hostname x
let_go

# Whatever fails leaves the image byte by byte as it was.
unchanged() {
    local regex=$1 what=$2 image=$3
    shift 3
    local before
    before=$(sha256sum <"$image")
    fails 1 "$regex" "$what" "$kiln" customize "$image" "$@"
    is "$(sha256sum <"$image")" "$before" '... and the image is as it was'
}
small small.img
unchanged 'small\.img is unchanged.*nobody' 'a later step that fails' small.img --hostname x --password nobody:password:x
unchanged 'loop|symbolic links' 'a loop of links' small.img --write /a/file:x
unchanged 'nowhere' 'a link that dangles without its directory' small.img --write /etc/dangling:x
unchanged '/etc is not a' 'a directory where a file is meant' small.img --append-line /etc:x
unchanged '/etc/hostname' 'a file where a directory is meant' small.img --write /etc/hostname/x:y
unchanged '255|too long' 'a name of 256 bytes' small.img --write "/etc/$(printf 'x%.0s' {1..256}):y"
head -c 30M /dev/urandom >large
unchanged 'space left|has only' 'a full guest' small.img --upload large:/var/large
unchanged 'space left|has only' 'a full guest, after other changes' small.img --hostname x --upload large:/var/large
fails 1 'space left|has only' 'a full guest with --atomic' "$kiln" customize small.img --atomic --upload large:/var/large
ok 'its file system is clean' e2fsck -fn small.img
fails 1 'absent-file' 'an absent file of ours is named' "$kiln" customize small.img --upload absent-file:/etc/x

# Odd paths that are fine.
ok 'paths do not climb out of the guest' "$kiln" customize -q small.img --write '/../../../etc/climbed:x' \
    --mkdir "$tmp" --write '/etc/outside:y' --write '/etc/absolute:z' --write '/etc/creates:new' --write "/etc/$(printf 'y%.0s' {1..255}):255" \
    --write $'/etc/\xff\xfe:not UTF-8' --write '/etc/colons:a:b:c'
is "$(ls outside 2>&1)" "ls: cannot access 'outside': No such file or directory" 'and nothing came out of it'
is "$(small_cat small.img /etc/climbed)$(small_cat small.img "$tmp/outside")$(small_cat small.img /etc/new-file)" xznew 'links lead where the guest would go'
is "$(small_cat small.img /etc/colons)" a:b:c 'only the first colon counts'
ok 'the file system is clean' e2fsck -fn small.img

# Passwords.
printf 'from-file\n' >password && : >empty-password && printf 'first\nsecond\n' >two-lines
cp small.img before.img
ok 'a password file may end with a newline' "$kiln" customize -q small.img --root-password file:password
like "$(small_cat small.img /etc/shadow)" '^root:\$' 'and sets the password'
ok 'a password may have colons' "$kiln" customize -q small.img --root-password 'password:a:b:c'
run "$kiln" customize small.img --root-password file:empty-password
[ "$status" -ne 0 ] && like "$err" 'empty' 'an empty password file is refused' || fail 'an empty password file is refused' "$(show)"
run "$kiln" customize -q small.img --root-password random --json
like "$(jq -r .generated_passwords.root <<<"$out")" '^.{10,}$' 'a random password is told once'

# Many commands.
yes '# nothing' | head -n 3000000 >commands
printf 'write /etc/motd:from a file\nhostname commands\n' >>commands
run timeout 300 "$kiln" customize -q small.img --commands-from-file commands
is "$status" 0 'millions of lines of commands are read'
is "$(small_cat small.img /etc/hostname)" commands 'and done'
printf 'frobnicate x\n' >commands
fails 2 'commands:1' 'a bad command is named by its line' "$kiln" customize small.img --commands-from-file commands

# Killed at any time, an atomic edit leaves the old image or the new one, and nothing beside it.
rm -f large && head -c 8M /dev/urandom >large
small small.img
before=$(sha256sum <small.img)
torn=0
for delay in 0.01 0.03 0.06 0.1 0.2; do
    "$kiln" customize -q small.img --atomic --upload large:/var/large --hostname killed 2>/dev/null &
    pid=$!
    sleep "$delay"
    kill -9 "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
    [ "$(sha256sum <small.img)" = "$before" ] || [ "$(small_cat small.img /etc/hostname)" = killed ] || torn=1
    e2fsck -fn small.img >/dev/null 2>&1 || torn=1
done
is "$torn" 0 'a killed atomic edit leaves the old image or the new one'
is "$(find . -maxdepth 1 -name '.*.tmp')" '' 'and nothing beside it'

# A guest for another machine.
mkdir -p foreign && cp -a tree/. foreign
printf '\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xb7\0\x01\0\0\0' >foreign/usr/bin/sh
head -c 64 /dev/zero >>foreign/usr/bin/sh
rm -f foreign.img && mke2fs -q -t ext4 -d foreign foreign.img 16M >/dev/null 2>&1
fails 1 'aarch64' 'programs of another architecture are refused' "$kiln" customize foreign.img -n --run-command true

# Damage: a message or a success, never a crash or a hang.
bad=0
for seed in {1..24}; do
    small hurt.img 4M
    for at in 1 2 3; do
        # Metadata lie in front: superblock, descriptors, bitmaps, inode tables.
        printf "\\x$(printf %02x $((seed * 37 + at * 11 & 255)))" |
            dd of=hurt.img bs=1 seek=$(((seed * 7919 + at * 104729) % 200000 + 1024)) conv=notrunc status=none
    done
    timeout 300 "$kiln" customize hurt.img --hostname x --write /etc/motd:y >out 2>&1
    case $? in 0 | 1) ;; *) bad=1 && cp hurt.img "$tmp/crash.img" && cat out ;; esac
done
is "$bad" 0 'damaged file systems are survived'
small hurt.img
dd if=/dev/zero of=hurt.img bs=1k seek=1 count=1 conv=notrunc status=none
unchanged 'hurt\.img' 'a file system without superblock' hurt.img --engine native --hostname x

# libvirt's domains, with a virsh that is played.
mkdir bin
cat >bin/virsh <<'END'
#!/bin/bash
case "$*" in
*domstate*running) echo running ;;
*domstate*absent) echo "error: failed to get domain 'absent'" >&2; exit 1 ;;
*domstate*) echo 'shut off' ;;
*dumpxml*) cat domain.xml ;;
esac
END
chmod +x bin/virsh
cat >domain.xml <<END
<domain><devices>
<disk type='file' device='cdrom'><source file='/nowhere.iso'/></disk>
<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='$tmp/disk.img' index='1'/>
<backingStore type='file'><source file='/elsewhere'/></backingStore><target dev='vda'/></disk>
</devices></domain>
END
run env PATH="$tmp/bin:$PATH" "$kiln" customize -d web1 --hostname from-domain
is "$status" 0 "a domain's disk is customized"
is "$(cat_root disk.img /etc/hostname)" from-domain 'the right one'
fails 1 'running' 'a running domain is refused' env PATH="$tmp/bin:$PATH" "$kiln" customize -d running --hostname x
fails 1 'absent' 'an absent domain is named' env PATH="$tmp/bin:$PATH" "$kiln" customize -d absent --hostname x
rm bin/virsh
command -v virsh >/dev/null || fails 1 'virsh' 'a missing virsh is named' "$kiln" customize -d web1 --hostname x

# Every option of the peers is known: taken, or refused with what to do instead.
unknown=() refused=()
know() {
    run "$kiln" "$1" "$2" --help
    [[ $err =~ 'is not an option' ]] && unknown+=("$1 $2")
    [[ $err =~ 'that kiln does not have' ]] && refused+=("$2")
}
if [ -n "$(type -P virt-customize)" ]; then
    for pair in customize=virt-customize sysprep=virt-sysprep build=virt-builder; do
        for option in $("${pair#*=}" --long-options) $("${pair#*=}" --short-options); do
            know "${pair%=*}" "$option"
        done
    done
    is "${unknown[*]}" '' 'all options of virt-customize, virt-sysprep and virt-builder are known'
    is "$(printf '%s\n' "${refused[@]}" | sort -u | paste -sd' ')" '--cache-all-templates --curl --delete-cache --dump-pod --dump-pod-options --get-kernel --gpg --list --list-format --long --machine-readable --no-cache --no-delete-on-failure --notes --print-cache -l' \
        'these are refused'
    fails 2 'use kiln list' 'with what to do instead' "$kiln" build --list
else
    skip 'all options of the peers are known' 'virt-customize is not installed'
fi

# Keys of encrypted devices.
fails 2 "'/dev/sda2' is neither" 'a key without its form' "$kiln" customize small.img --key /dev/sda2:hush
unlike "$err" 'hush' 'is not shown'
fails 2 "neither" 'an empty key' "$kiln" inspect small.img --key all:key:
fails 1 'absent' 'a key file that is not there' "$kiln" customize small.img --key all:file:absent
fails 1 'clevis' 'keys of clevis are refused' "$kiln" customize small.img --key all:clevis
like "$err" 'all:file:FILENAME' 'with the way'
ok 'keys that nothing needs do no harm' "$kiln" customize -q small.img --key all:key:hush --touch /etc/motd
finish
