#!/bin/bash
# What is wrong, odd or hostile in arguments, in files of this machine and in the guest's tree, as far
# as kiln customize takes it; tests/cli/sysprep.t has the same for kiln sysprep.
. "$(dirname "$0")/lib.sh"
cd "$tmp" || exit 1

mkdir -p tree/{etc/ssh,usr/bin,usr/lib,tmp,var/log,root,dir}
printf 'ID=debian\nVERSION_ID="12"\n' >tree/usr/lib/os-release
ln -s ../usr/lib/os-release tree/etc/os-release
echo root:x:0:0:root:/root:/bin/sh >tree/etc/passwd
echo 'root:*:19000:0:99999:7:::' >tree/etc/shadow && chmod 640 tree/etc/shadow
echo old >tree/etc/hostname
ln -s nowhere/file tree/etc/dangling
ln -s loop tree/etc/loop && ln -s pong tree/etc/ping && ln -s ping tree/etc/pong
rm -f disk.img && mke2fs -q -t ext4 -d tree disk.img 16M >/dev/null 2>&1
cp disk.img fresh.img
inside() { debugfs -R "cat $1" disk.img 2>/dev/null; }
sum=$(sha256sum <disk.img)
# Every one of these is refused, names what is wrong, and changes nothing.
refused() {
    local wanted=$1 regex=$2 what=$3
    shift 3
    fails "$wanted" "$regex" "$what" timeout 300 "$kiln" customize -q disk.img --hostname never "$@"
    [ "$(sha256sum <disk.img)" = "$sum" ] || fail "$what: the image has changed" "$*"
}

# Files of this machine.
mkdir folder && : >empty
refused 1 'absent' 'an upload of nothing' --upload absent:/etc/x
refused 1 'folder is a directory' 'an upload of a directory' --upload folder:/etc/x
refused 1 'absent' 'a copy of nothing' --copy-in absent:/etc
refused 1 'folder is a directory' 'an archive that is a directory' --tar-in folder:/etc
refused 1 'empty.*archive' 'an archive that is none' --tar-in empty:/etc
refused 1 'folder: is a directory' 'a password file that is a directory' --root-password file:folder
refused 1 'absent' 'a password file that is absent' --root-password file:absent
refused 1 'folder: is a directory' 'a key file that is a directory' --ssh-inject root:file:folder
refused 2 'empty.*no key' 'a key file without a key' --ssh-inject root:file:empty
refused 1 'folder' 'commands from a directory' --commands-from-file folder
refused 1 'absent' 'commands from nowhere' --commands-from-file absent

# Arguments.
refused 2 'is not known' 'an unknown selector' --root-password bogus:x
refused 2 'FILE:CONTENT' 'no colon where one is needed' --write /etc/x
refused 2 'FILE:CONTENT' 'nothing before the colon' --write ':x'
refused 2 'not absolute' 'a path in the guest that does not begin at its root' --write relative:x
refused 2 'user name' 'no user for a password' --password ':password:x'
refused 2 'host name' 'an empty host name' --hostname ''
refused 2 'time zone' 'a time zone with ..' --timezone ../../etc/passwd

# The guest's tree.
for link in loop ping; do
    refused 1 "/etc/$link.*(symbolic links|regular file)" "writing through the loop $link" --write "/etc/$link:x"
    refused 1 "/etc/$link.*symbolic links" "a directory below the loop $link" --mkdir "/etc/$link/below"
    refused 1 "/etc/$link.*symbolic links" "the mode of the loop $link" --chmod "0600:/etc/$link"
    refused 1 "/etc/$link.*(symbolic links|regular file)" "cutting the loop $link" --truncate "/etc/$link"
done
refused 1 'nowhere' 'appending through a dangling link' --append-line /etc/dangling:x
refused 1 'nowhere' 'editing through a dangling link' --edit /etc/dangling:s/a/b/
refused 1 'nowhere' 'the owner of a dangling link' --chown 0:0:/etc/dangling
refused 1 '/etc/dangling' 'touching a dangling link' --touch /etc/dangling
refused 1 '/etc/dangling.*already' 'a directory in the place of a dangling link' --mkdir /etc/dangling
refused 1 '/dir.*is a directory' 'writing a directory' --write /dir:x
refused 1 '/dir is not a regular file' 'editing a directory' --edit /dir:s/a/b/
refused 1 '/dir.*is a directory' 'cutting a directory' --truncate /dir
refused 1 '/dir is not a regular file' 'scrubbing a directory' --scrub /dir
refused 1 '/etc/hostname.*not a directory' 'copying into a file' --copy-in folder:/etc/hostname
refused 1 '/etc/hostname.*not a directory' 'a directory below a file' --mkdir /etc/hostname/below

# What is odd, and right.
printf 'from-file\n' >newline && printf 'first\nsecond\n' >two-lines && printf 'no-newline' >plain
hash_is() { # PASSWORD: that of root
    local hash
    hash=$(inside /etc/shadow | cut -d: -f2)
    is "$(perl -e 'print crypt($ARGV[0], $ARGV[1])' "$1" "$hash")" "$hash" "$2"
}
ok 'a password from a file' "$kiln" customize -q disk.img --root-password file:newline
hash_is from-file 'is that without the newline'
ok 'a file without a newline' "$kiln" customize -q disk.img --root-password file:plain
hash_is no-newline 'has the password as well'
ok 'a file of two lines' "$kiln" customize -q disk.img --root-password file:two-lines
hash_is first 'has it in the first'
ok 'a password with colons' "$kiln" customize -q disk.img --root-password 'password:a:b:'
hash_is 'a:b:' 'has them'
fails 1 'empty' 'an empty password file is taken for a slip' "$kiln" customize disk.img --root-password file:empty
run "$kiln" customize -q disk.img --root-password password:
is "$status" 0 'an empty password that is asked for is set'
like "$err" 'warning.*empty' 'with a warning'
hash_is '' 'as a hash of nothing'

key='from="a:b" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM+PajjlSv54D+NNTYHnOHIb0Keq+DH3Kbdsbo88iO69 me:x'
ok 'colons in values' "$kiln" customize -q disk.img --append-line '/etc/hostname:a:b:c' --edit '/etc/hostname:s/o:?/x:y/' \
    --write '/etc/times:12:30:00' --ssh-inject "root:string:$key"
is "$(inside /etc/hostname)" $'x:yld\na:b:c' 'only the first one divides'
is "$(inside /etc/times) $(inside /root/.ssh/authorized_keys)" "12:30:00 $key" 'in files and keys'

long=$(printf 'n%.0s' {1..255}) bytes=$'\xff\xe4 \x01\n'
sum=$(sha256sum <disk.img)
mkdir "folder/$long" && : >"folder/$bytes"
refused 1 '255 bytes|too long' 'a name that grows to 256 bytes' --move "/etc/hostname:/etc/$long-"
ok 'names of 255 bytes and names that are no text' "$kiln" customize -q disk.img --mkdir /srv --copy-in folder:/srv \
    --copy "/srv/folder:/opt" --write "/opt/$bytes:one" --append-line "/opt/$bytes:two" --touch "/opt/$long/$long" --delete "/srv/folder/$bytes"
run "$kiln" customize disk.img -n --delete /opt
like "$out" "/opt/$long/$long" 'and stay what they were'
like "$out" '/opt/\\xff\\xe4 \\x01\\x0a' 'and are told without garbling the terminal'
unlike "$(debugfs -R 'ls -p /srv/folder' disk.img 2>/dev/null | tr -d '\0')" $'\xff' 'also those that are deleted'
ok 'the file system is clean' e2fsck -fn disk.img

# A guest without room: nothing of it is seen in the image.
cp fresh.img disk.img
"$kiln" customize -q disk.img --write /etc/first:x 2>/dev/null
free=$(dumpe2fs -h disk.img 2>/dev/null | sed -n 's/^Free blocks: *//p')
block=$(dumpe2fs -h disk.img 2>/dev/null | sed -n 's/^Block size: *//p')
head -c $((free * block * 9 / 10)) /dev/urandom >filler && head -c 4M /dev/urandom >more
ok 'a guest is filled' "$kiln" customize -q disk.img --upload filler:/var/filler
sum=$(sha256sum <disk.img)
refused 1 'space left|has only' 'an upload into a full guest' --upload more:/var/more
refused 1 'space left|has only' 'a copy in a full guest' --copy /var/filler:/var/again
refused 1 'space left|has only' 'a line behind a large file' --upload more:/var/more --append-line /var/filler:x
ok 'and its file system is clean' e2fsck -fn disk.img
finish
