#!/bin/bash
# kiln sysprep: which operations, in which order, and what they leave of a guest.
. "$(dirname "$0")/lib.sh"
cd "$tmp" || exit 1

mkdir -p tree/{etc/ssh,usr/bin,usr/lib/systemd/system,usr/sbin,tmp,var/log,var/spool/mail,var/lib/systemd,root/.ssh}
printf 'ID=debian\nVERSION_ID="12"\n' >tree/usr/lib/os-release
ln -s ../usr/lib/os-release tree/etc/os-release
ln -s usr/bin tree/bin
echo root:x:0:0:root:/root:/bin/sh >tree/etc/passwd
echo 'root:*:19000:0:99999:7:::' >tree/etc/shadow && chmod 640 tree/etc/shadow
echo old >tree/etc/hostname
echo 0123456789abcdef0123456789abcdef >tree/etc/machine-id
echo line >tree/var/log/messages
echo history >tree/root/.bash_history
echo letter >tree/var/spool/mail/root
echo trash >tree/tmp/file
small() { rm -f "$1" && mke2fs -q -t ext4 -d tree "$1" 16M >/dev/null 2>&1; }
small_cat() { debugfs -R "cat $2" "$1" 2>/dev/null; }
exists() { debugfs -R "stat $2" "$1" 2>/dev/null | grep -q Inode:; }
gone() { ! exists "$@"; }

# Listing.
run "$kiln" sysprep --list-operations
is "$status" 0 'operations are listed'
like "$out" $'machine-id +\\* ' 'with a mark at the defaults'
like "$out" $'user-account +  ' 'and none at the others'
is "$(cut -d' ' -f1 <<<"$out" | sort -c 2>&1)" '' 'by name'
[ "$(wc -l <<<"$out")" -ge 45 ] && pass 'all of them' || fail 'all of them' "$out"
ok 'the singular is the same' "$kiln" sysprep --list-operation
run "$kiln" sysprep --list-operations --json
is "$(jq -r '.[] | select(.name == "machine-id").default' <<<"$out")" true 'and as JSON'
run "$kiln" sysprep --help
like "$out" '--hostname' '--help lists the customizations too'

# The default set.
small disk.img
before=$(sha256sum <disk.img)
run "$kiln" sysprep -n disk.img
is "$status" 0 'a dry run'
like "$out" '- /root/.bash_history' 'tells what would be removed'
is "$(sha256sum <disk.img)" "$before" 'and leaves the image as it is'
run "$kiln" sysprep -a disk.img --hostname prepared --write /root/new:x
is "$status" 0 'the default set runs'
like "$out" 'Performed: .*machine-id' 'what ran is told'
like "$out" 'Engine: native' 'without an appliance'
ok 'history is gone' gone disk.img /root/.bash_history
ok 'mail is gone' gone disk.img /var/spool/mail/root
ok 'temporary files are gone' gone disk.img /tmp/file
unlike "$(small_cat disk.img /etc/machine-id)" '0123' 'the machine id is gone'
ok 'accounts stay' exists disk.img /etc/shadow
is "$(small_cat disk.img /etc/hostname)$(small_cat disk.img /root/new)" preparedx 'customizations are made afterwards'
ok 'the file system is clean' e2fsck -fn disk.img

# Selections.
small disk.img
run "$kiln" sysprep disk.img --json --operations bash-history,tmp-files
is "$(jq -r '.operations | join(",")' <<<"$out")" bash-history,tmp-files '--operations runs these'
ok 'the others do not run' exists disk.img /var/spool/mail/root
small disk.img
run "$kiln" sysprep disk.img --json --operations defaults,-bash-history
ok 'a minus leaves one out' exists disk.img /root/.bash_history
ok 'and only that' gone disk.img /tmp/file
run "$kiln" sysprep disk.img --json --enable bash-history
is "$(jq -r '.operations | join(",")' <<<"$out")" bash-history '--enable runs exactly these'
fails 2 'no-such-thing' 'an unknown operation is wrong usage' "$kiln" sysprep disk.img --operations no-such-thing
fails 2 'bash-history' 'and the likely one is told' "$kiln" sysprep disk.img --enable bash-histroy
fails 2 'user-account' 'a setting without its operation is wrong usage' "$kiln" sysprep disk.img --keep-user-accounts root
fails 2 'customize' 'so are customizations' "$kiln" sysprep disk.img --enable bash-history --hostname x
fails 2 'name is missing' 'and an empty name' "$kiln" sysprep disk.img --operations user-account --remove-user-accounts a,,b
fails 2 'no disk' 'no disk is wrong usage' "$kiln" sysprep
fails 2 'seal.*dry-run' 'a rehearsal seals nothing' "$kiln" sysprep disk.img --seal -n

# A failure leaves the image as it was.
small disk.img
before=$(sha256sum <disk.img)
fails 1 'disk\.img is unchanged.*nobody-here' 'a failing customization' "$kiln" sysprep disk.img --password nobody-here:password:x
is "$(sha256sum <disk.img)" "$before" '... undoes everything before it'

# What is wrong with the arguments or the disk.
unchanged() {
    local wanted=$1 regex=$2 what=$3 image=$4
    shift 4
    local before
    before=$(sha256sum <"$image")
    fails "$wanted" "$regex" "$what" timeout 300 "${as[@]}" "$kiln" sysprep "$image" "$@"
    is "$(sha256sum <"$image")" "$before" '... and the image is as it was'
}
as=()
unchanged 2 'is not known' 'an unknown selector' disk.img --root-password bogus:x
unchanged 2 'operations.*empty|empty.*operation|name' 'an empty name of an operation' disk.img --operations bash-history,,
unchanged 2 'enable' '--enable twice' disk.img --enable bash-history --enable tmp-files
unchanged 2 'absent' 'a script that is absent' disk.img --script ./absent
: >not-executable
unchanged 2 'not-executable' 'a script that is no program' disk.img --script ./not-executable
unchanged 1 'absent' 'a password file that is absent' disk.img --root-password file:absent
fails 1 'absent\.img' 'an absent image is named' "$kiln" sysprep absent.img
mke2fs -q -t ext4 empty.img 8M >/dev/null 2>&1
unchanged 1 'no operating system' 'a disk without a system' empty.img
head -c 1M /dev/zero >zeroes.img
unchanged 1 'zeroes\.img' 'a disk without a file system' zeroes.img --engine native
small readonly.img && chmod 444 readonly.img
[ "$(id -u)" -ne 0 ] || as=(setpriv --bounding-set=-all)
unchanged 1 'readonly\.img' 'a read-only image' readonly.img
ok 'but a dry run may look at it' "${as[@]}" "$kiln" sysprep readonly.img -n
as=()
small disk.img
hold disk.img
unchanged 1 'disk\.img.*in use' 'an image that a machine writes to' disk.img
unchanged 1 'disk\.img.*in use' 'also with --atomic' disk.img --atomic
let_go

# A tree that is not as one would think: directories, links and files in each other's place, links
# out of the guest, names that are no text. Nothing outside it is touched, and sysprep does what it can.
mkdir -p outside && echo mine >outside/kept
long=$(printf 'n%.0s' {1..255}) bytes=$'\xff\xfe\n'
(
    cp -a tree odd && cd odd || exit
    rm -rf etc/{hostname,machine-id,passwd} var/{log,spool/mail,lib/systemd,cache} root/.bash_history tmp root/.ssh
    mkdir -p etc/{machine-id,passwd-} var/log/wtmp var/lib/systemd/random-seed root/.bash_history/deep home/$'\xff'
    printf 'bob:x:1000:1000::/../etc:/bin/sh\neve:x:1001:1001::/home/eve/../..:/bin/sh\nodd:x:1002:1002\n:x:1003:1003::/usr/lib:/\nroot:x:0:0::/root:/\n' >etc/passwd
    : >var/lib/dhcp && ln -s /nowhere etc/hostname && ln -s loop.log var/log/loop.log && ln -s ping var/crash && ln -s crash var/ping
    ln -s "$tmp/outside" var/cache && ln -s /../../nowhere var/spool/mail && ln -s "../../../../../..$tmp/outside" tmp && ln -s "$tmp/outside" root/.ssh
    echo ls >home/$'\xff'/.bash_history
    mkdir -p "var/tmp/$long/$long" && : >"var/tmp/$bytes" && : >"var/tmp/$long/$long/$long"
)
rm -f odd.img && mke2fs -q -t ext4 -d odd odd.img 16M >/dev/null 2>&1
run timeout 300 "$kiln" sysprep odd.img -n
like "$out" '- /home/\\xff/\.bash_history' 'a dry run tells odd names without garbling the terminal'
ok 'an odd tree is prepared' timeout 300 "$kiln" sysprep odd.img --operations all,-fs-uuids,-swap-header
ok 'its file system is clean' e2fsck -fn odd.img
is "$(ls outside) $(cat outside/kept)" 'kept mine' 'nothing outside was touched'
for path in "/var/tmp/$long" /var/log/loop.log /root/.ssh; do ok "gone: ${path:0:20}" gone odd.img "$path"; done
is "$(debugfs -R 'ls -p /var/tmp' odd.img 2>/dev/null | tr -d '\0' | grep -ac $'\xff')" 0 'names that are no text are gone'
for path in /var/crash /var/lib/dhcp /etc/machine-id /usr/lib/os-release /etc/hostname; do ok "there: $path" exists odd.img "$path"; done

# A guest without room for what has to be written: all or nothing.
small full.img
free=$(dumpe2fs -h full.img 2>/dev/null | sed -n 's/^Free inodes: *//p')
seq -f 'write /dev/null /usr/lib/file%g' "$free" | debugfs -w -f - full.img >/dev/null 2>&1
unchanged 1 'no inode left|No space left' 'a guest without room' full.img --operations flag-reconfiguration
ok 'its file system is clean' e2fsck -fn full.img

# Damage: a message or a success, never a crash or a hang.
bad=0
for seed in {1..16}; do
    small hurt.img
    for at in 1 2 3; do
        printf "\\x$(printf %02x $((seed * 41 + at * 13 & 255)))" |
            dd of=hurt.img bs=1 seek=$(((seed * 7919 + at * 104729) % 200000 + 1024)) conv=notrunc status=none
    done
    timeout 300 "$kiln" sysprep hurt.img --engine native >out 2>&1
    case $? in 0 | 1) ;; *) bad=1 && cat out ;; esac
done
is "$bad" 0 'damaged file systems are survived'
finish
