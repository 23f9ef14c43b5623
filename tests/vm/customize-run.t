#!/bin/bash
# Programs of the guest: commands, scripts and packages, with edits before and after them, in one
# start of the appliance; what a failure tells; what is refused before anything happens.
. "$(dirname "$0")/../cli/lib.sh"
use_test_repo
cd "$tmp" || exit 1

# A repository of one package, so that nothing comes from outside.
mkdir -p package/DEBIAN package/usr/share/kiln-hello local
cat >package/DEBIAN/control <<'END'
Package: kiln-hello
Version: 1.0
Architecture: all
Maintainer: Nobody <nobody@example.org>
Description: says hello
END
printf '#!/bin/sh\necho "hello from the package, umask $(umask)"\n' >package/DEBIAN/postinst
chmod 755 package/DEBIAN/postinst
echo hello >package/usr/share/kiln-hello/said
dpkg-deb --root-owner-group -b package local/kiln-hello.deb >/dev/null
{
    dpkg-deb -f local/kiln-hello.deb
    printf 'Filename: ./kiln-hello.deb\nSize: %s\nSHA256: %s\n\n' "$(stat -c %s local/kiln-hello.deb)" \
        "$(sha256sum local/kiln-hello.deb | cut -d' ' -f1)"
} >local/Packages
cat >script.py <<'END'
#!/usr/bin/python3
import os
print("words of the script")
open("/etc/by-script", "w").write("%s %s" % (open("/etc/before").read(), os.getuid()))
END

ok 'an image to work on' "$kiln" build -q debian-12 -o web.img
unchanged=$(tar -cSf - web.img | sha256sum)
fails 1 '--install needs the network' '--no-network is no way to install' \
    "$kiln" customize -a web.img --no-network --write /etc/never:x --install kiln-hello
like "$err" '--firstboot-install' 'and the way is named'
is "$(tar -cSf - web.img | sha256sum)" "$unchanged" 'nothing was touched'

# Media for the guest's programs, which is no part of the guest.
truncate -s 4M media.img
mke2fs -q -L media -d local media.img
cat >from-media <<'END'
#!/bin/sh
set -e
mount -r LABEL=media /mnt
sha256sum </mnt/kiln-hello.deb >/etc/from-media
umount /mnt
echo x >/dev/disk/by-label/media || :
END
media=$(sha256sum <media.img)

run "$kiln" customize -a web.img --attach media.img --attach-format raw --run from-media \
    --write /etc/before:1 --copy-in local:/srv \
    --delete '/etc/apt/sources.list.d/*' \
    --write '/etc/apt/sources.list:deb [trusted=yes] file:/srv/local ./' \
    --run-command 'echo "words on stdout"; echo "words on stderr" >&2; : >/etc/by-command' \
    --run script.py --install kiln-hello --append-line /etc/before:2 --hostname web1
is "$status" 0 'commands, a script and a package, between edits'
[ "$status" -eq 0 ] || show | sed 's/^/# /'
is "$(grep -c 'Starting the appliance' <<<"$out$err")" 1 'in one start of the appliance'
ok 'the file system is clean' fsck_clean web.img 3
is "$(guest_cat web.img 3 /etc/before)" $'1\n2' 'edits before and after are there'
is "$(guest_cat web.img 3 /etc/by-script)" '1 0' 'the script ran by its interpreter, as root, after the first edit'
is "$(guest_cat web.img 3 /usr/share/kiln-hello/said)" hello 'the package is installed'
is "$(guest_cat web.img 3 /etc/hostname)" web1 'and what came last'
log=$(guest_cat web.img 3 /tmp/builder.log)
for words in 'words on stdout' 'words on stderr' 'words of the script' 'Setting up kiln-hello' \
    'hello from the package, umask 0022'; do
    like "$log" "$words" "the log has: $words"
done
is "$(guest_cat web.img 3 /etc/from-media)" "$(sha256sum <local/kiln-hello.deb)" 'a disk that was attached was read inside'
is "$(sha256sum <media.img)" "$media" 'and is as it was'
ls_of() { debugfs -R "ls -l $2" "$1?offset=$(partition_offset "$1" 3)" 2>/dev/null; }
unlike "$(ls_of web.img /tmp)" 'kiln-run' 'no script was left behind'
like "$(ls_of web.img /etc)" '100644 .* by-command' 'files have the usual mode'
is "$(guest_cat web.img 3 /etc/machine-id)" "$(guest_cat web.img 3 /etc/machine-id | grep -x uninitialized)" \
    'every clone will still make up its own machine-id'

run "$kiln" customize -a web.img --no-logfile --run-command 'for i in $(seq 50); do echo "line $i"; done; exit 7'
unlike "$status" '^0$' 'a command that fails is a failure'
like "$err" 'exit status 7' 'its status is told'
like "$err" 'line 11[^0-9].*line 50' 'its last 40 lines as well'
unlike "$err" 'line 10[^0-9]' 'and no more'

# Another architecture: busybox of mini says that it is for 64-bit ARM (e_machine 183).
ok 'a guest of another architecture' "$kiln" build -q mini -o arm.img
at="arm.img?offset=$(partition_offset arm.img 1)"
guest_cat arm.img 1 /usr/bin/busybox >busybox
printf '\267\0' | dd of=busybox bs=1 seek=18 conv=notrunc status=none
debugfs -w -f /dev/stdin "$at" >/dev/null 2>&1 <<'END'
rm /usr/bin/busybox
write busybox /usr/bin/busybox
sif /usr/bin/busybox mode 0100755
END
run "$kiln" customize -a arm.img --write /etc/never:x --run-command true
unlike "$status" '^0$' 'its programs do not run'
like "$err" 'aarch64' 'the architecture is named'
like "$err" '--firstboot' 'and the way'
is "$(guest_cat arm.img 1 /etc/never)" '' 'nothing was touched'
finish
