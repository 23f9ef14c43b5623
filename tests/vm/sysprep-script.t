#!/bin/bash
# kiln sysprep --script and --scriptdir: programs of this machine that run where the guest's files are
# mounted; what they leave behind, in the image and here, when they succeed and when they fail.
. "$(dirname "$0")/../cli/lib.sh"
use_test_repo
cd "$tmp" || exit 1
if [ ! -c /dev/fuse ] || ! command -v fusermount >/dev/null; then
    skip 'scripts on a mounted guest' 'no FUSE here'
    finish
fi

"$kiln" build -q mini -o mini.img --write '/root/.bash_history:ls' || exit 1
cat_root() { guest_cat "$1" 1 "$2"; }
# Anything of this test that is still mounted or running. grep itself must not have the name in its
# command line.
left_over() {
    grep -F "$tmp" /proc/mounts
    grep -lzF -f - /proc/[0-9]*/cmdline <<<"$tmp" 2>/dev/null
}

cat >first <<'END'
#!/bin/sh
# Links of the guest that lead to its root would leave it here: relative paths only.
set -e
pwd
test ! -e root/.bash_history && echo 'history was there before us'
# The operation hostname came before.
echo "by the first, $(cat etc/hostname)" >etc/by-script
chmod 640 etc/by-script
mkdir -p srv/deep/er && ln -s deep srv/link && mv etc/motd etc/motd.moved 2>/dev/null || :
rm -f etc/hostname && echo from-script >etc/hostname
# What is left behind keeps a file open.
sleep 3 >>srv/open &
END
cat >second <<'END'
#!/bin/sh
echo 'and the second' >>etc/by-script
END
cat >failing <<'END'
#!/bin/sh
echo 'words of the one that fails'
echo never >etc/never
# Nobody waits for this one for ever.
sleep 3000 >>srv/open &
echo $! >"$HOME/left-behind"
exit 3
END
chmod +x first second failing

cp mini.img disk.img
run "$kiln" sysprep disk.img -n --script ./first --script ./failing
is "$status" 0 'a dry run'
unlike "$out$err" 'words of|Starting the appliance' 'runs no script'
is "$(cmp mini.img disk.img 2>&1)" '' 'and changes nothing'

run timeout 1800 "$kiln" sysprep disk.img --json --script ./first --script ./second --write /etc/after:x
is "$status" 0 'scripts run'
[ "$status" -eq 0 ] || show | sed 's/^/# /'
is "$(jq -r '.engine, (.operations | index("script") != null)' <<<"$out" | paste -sd' ')" 'appliance true' 'in an appliance'
like "$err" "$TMPDIR/kiln-guest\.[A-Za-z0-9]+" 'in a directory of our own, where they are told'
is "$(cat_root disk.img /etc/by-script)" $'by the first, localhost\nand the second' 'their changes are in the image, in order'
is "$(cat_root disk.img /etc/hostname) $(cat_root disk.img /etc/after)" 'from-script x' 'and the customizations behind them'
is "$(debugfs -R 'stat /etc/by-script' "disk.img?offset=$(partition_offset disk.img 1)" 2>/dev/null | grep -o 'Mode: *0640')" 'Mode:  0640' 'with modes'
ok 'the file system is clean' fsck_clean disk.img 1
nothing_left() { [ -z "$(left_over)" ]; }
ok 'nothing stays mounted or running' eventually nothing_left
is "$(find "$TMPDIR" -mindepth 1 -name 'kiln-*')" '' 'no directory is left'

# One that fails.
cp mini.img disk.img
mkdir where
run timeout 1800 "$kiln" sysprep disk.img --scriptdir "$PWD/where" --script ./failing --script ./second
is "$status" 1 'a script that fails is a failure'
like "$err" 'disk\.img is unchanged.*script ./failing.*3' 'which is named with its status'
like "$err" 'words of the one that fails' 'and its words are shown'
ok 'although a program that it left behind has a file open' kill "$(<"$HOME/left-behind")"
is "$(cmp mini.img disk.img 2>&1)" '' 'the image is as it was'
ok 'nothing stays mounted or running' eventually nothing_left
is "$(ls -A where)" '' 'the directory that was given is empty again'

# One that is killed leaves the kernel with a mount that nobody serves.
cat >waiting <<'END'
#!/bin/sh
echo "in $(pwd)"
exec sleep 1000
END
chmod +x waiting
for directory in '' where; do
    timeout 1800 "$kiln" sysprep disk.img ${directory:+--scriptdir "$PWD/$directory"} --script ./waiting >waiting.out 2>&1 &
    killed=$!
    until grep -q '^in ' waiting.out || ! kill -0 $killed 2>/dev/null; do sleep 0.2; done
    like "$(cat waiting.out)" 'in /' "${directory:-a directory of our own}: the script runs"
    pkill -KILL -P $killed kiln
    wait $killed
    no_directory() { [ -z "$(left_over; find "$TMPDIR" -mindepth 1 -name 'kiln-guest*')" ]; }
    eventually no_directory
    is "$(left_over)" '' 'a kiln that was killed leaves no mount and no process'
    is "$(find "$TMPDIR" -mindepth 1 -name 'kiln-guest*'; ls -A where)" '' 'and no directory but the one given'
done
is "$(cmp mini.img disk.img 2>&1)" '' 'the image is as it was'
finish
