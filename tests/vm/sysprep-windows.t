#!/bin/bash
# kiln sysprep on Windows: refused, with the reason and the way.
. "$(dirname "$0")/../cli/lib.sh"
cd "$tmp" || exit 1
if [ ! -c /dev/fuse ] || ! command -v mkntfs >/dev/null || ! command -v ntfs-3g >/dev/null; then
    skip 'a Windows guest' 'no ntfs-3g or no FUSE here'
    finish
fi

# An empty registry hive: a header with its checksum, and one bin with the root key.
cat >hive <<'END'
my $header = pack 'a4 V2 x8 V6 V', 'regf', 1, 1, 1, 3, 0, 1, 0x20, 0x1000, 1;
$header .= "\0" x (0x1fc - length $header);
my $sum = 0;
$sum ^= $_ for unpack 'V127', $header;
my $none = 0xffffffff;
my $key = pack 'a2 v x8 V11 V5 v2 a4', 'nk', 0x2c, 0, $none, 0, 0, $none, $none, 0, $none, $none, $none, 0, 0, 0, 0, 0, 0, 4, 0, 'ROOT';
my $cell = 4 + length($key) + 7 & ~7;
my $bin = pack('a4 V2 x20', 'hbin', 0, 0x1000) . pack("l< a@{[$cell - 4]}", -$cell, $key);
$bin .= pack 'l<', 0x1000 - length $bin;
print $header, pack('V', $sum), "\0" x 0xe00, $bin, "\0" x (0x1000 - length $bin);
END
perl hive >empty-hive
# The begin of a program for x86-64, which tells the guest's architecture.
perl -e 'print pack "a2 x22 v x34 V x64 a4 v2 x12 v2 v x66 v x170", "MZ", 0x40, 0x80, "PE", 0x8664, 0, 0xf0, 0x22, 0x20b, 3' >program

truncate -s 64M windows.img
mkntfs -q -F windows.img >/dev/null 2>&1
mkdir mounted
on_exit+=("fusermount -u '$tmp/mounted' 2>/dev/null")
ntfs-3g windows.img mounted && mkdir -p mounted/Windows/System32/{config,drivers/etc} mounted/Users &&
    cp program mounted/Windows/System32/cmd.exe &&
    cp empty-hive mounted/Windows/System32/config/SOFTWARE && cp empty-hive mounted/Windows/System32/config/SYSTEM
fusermount -u mounted

before=$(sha256sum <windows.img)
fails 1 'Windows guest cannot be prepared' 'a Windows guest is refused' timeout 600 "$kiln" sysprep windows.img
like "$err" 'SID' 'with the reason'
like "$err" 'sysprep\.exe /generalize' 'and the way'
is "$(sha256sum <windows.img)" "$before" 'and left as it was'
finish
