#!/bin/bash
# grub-emu 2.06-13+deb12u2 (Debian 12), grub-core/script/execute.c.
#
# In GRUB's script language a command that does not exist is an error (it is printed), and as the condition of "if" it
# counts as true all the same, with "!" before it as well: a script written for a GRUB that has the command takes the
# branch of a match on one that lacks it, and of a mismatch likewise.
# Guessed: as in other shells, a command that is not found is false, and its negation is true.
#
# Seen: nosuch taken, not-nosuch taken, false passed, true taken
set -euo pipefail
package=grub-emu=2.06-13+deb12u2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -q -o APT::Sandbox::User=root download "$package" >/dev/null
dpkg -x grub-emu_*.deb root

mkdir boot
truncate -s 1M disk
echo "(hd0) $work/disk" >device.map
{
    for condition in 'nosuch' '! nosuch' '[ 1 = 2 ]' '[ 1 = 1 ]'; do
        printf 'if %s; then echo "@taken@"; else echo "@passed@"; fi\n' "$condition"
    done
    printf 'echo "@end@"\n'
} >boot/grub.cfg

seen=$(CACA_DRIVER=none SDL_VIDEODRIVER=none python3 - "$work" <<'PYTHON'
import os, pty, re, select, signal, sys, time
work = sys.argv[1]
child, terminal = pty.fork()
if child == 0:
    os.environ["TERM"] = "vt100"
    os.execv(work + "/root/usr/bin/grub-emu", ["grub-emu", "-m", work + "/device.map", "-d", work + "/boot"])
text, deadline = b"", time.monotonic() + 60
while b"@end@" not in text and time.monotonic() < deadline:
    if select.select([terminal], [], [], 1)[0]:
        try:
            text += os.read(terminal, 65536)
        except OSError:
            break
os.kill(child, signal.SIGKILL)
os.waitpid(child, 0)
names = ("nosuch", "not-nosuch", "false", "true")
print(", ".join(map(" ".join, zip(names, re.findall(r"@(taken|passed)@", text.decode(errors="replace"))))))
PYTHON
)
expected='nosuch taken, not-nosuch taken, false passed, true taken'
if [ "$seen" != "$expected" ]; then
    printf 'changed; now:\n%s\n' "$seen"
    exit 1
fi
echo 'as described'
