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
finish
