#!/bin/bash
# util-linux and libmount1 2.38.1-5+deb12u3, libc6 2.36 (Debian 12).
#
# A comment behind the fourth field of a line in /etc/fstab is a parse error for libmount, which drops the whole line;
# behind the sixth field it is passed over. glibc's getmntent(3), by which systemd-fstab-generator reads the same file,
# returns the entry in both cases. So systemd mounts at boot what "mount -a", findmnt and "mount /b" do not know.
# Guessed: both readers take a comment at the end of a line in either place, or neither does.
#
# Seen, as "libmount: ... glibc: ...":
#   libmount: / /d glibc: / /b /c /d
set -euo pipefail
packages=(util-linux=2.38.1-5+deb12u3 libmount1=2.38.1-5+deb12u3)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -q -o APT::Sandbox::User=root download "${packages[@]}" >/dev/null
for file in *.deb; do dpkg -x "$file" root; done

cat >fstab <<'FSTAB'
UUID=1111-aaaa / ext4 defaults 0 1 # the root
UUID=2222-bbbb /b ext4 defaults # data
UUID=3333-cccc /c ext4 defaults 0 # data
UUID=4444-dddd /d ext4 defaults 0 2
FSTAB
by_libmount=$(LD_LIBRARY_PATH=$(echo root/usr/lib/*-linux-gnu root/lib/*-linux-gnu | tr ' ' :) \
    root/bin/findmnt --fstab --tab-file "$PWD/fstab" --noheadings --raw --output TARGET 2>/dev/null | paste -sd' ')
by_glibc=$(python3 - <<'PYTHON'
import ctypes
class Entry(ctypes.Structure):
    _fields_ = [(name, ctypes.c_char_p) for name in ("spec", "dir", "type", "options")]
libc = ctypes.CDLL("libc.so.6")
libc.setmntent.restype = ctypes.c_void_p
libc.getmntent.restype = ctypes.POINTER(Entry)
libc.getmntent.argtypes = [ctypes.c_void_p]
table = libc.setmntent(b"fstab", b"r")
found = []
while entry := libc.getmntent(table):
    found.append(entry.contents.dir.decode())
print(" ".join(found))
PYTHON
)
seen="libmount: $by_libmount glibc: $by_glibc"
expected='libmount: / /d glibc: / /b /c /d'
if [ "$seen" != "$expected" ]; then
    printf 'changed; now:\n%s\n' "$seen"
    exit 1
fi
echo 'as described'
