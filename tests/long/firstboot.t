#!/bin/bash
# What --firstboot-command leaves in a guest runs when the guest boots for the first time, and only
# then: seen on the console of two boots.
. "$(dirname "$0")/../cli/lib.sh"
use_test_repo
cd "$tmp" || exit 1

# The last script to run says so, once the log has both.
cat >second.sh <<'END'
#!/bin/sh
echo "firstboot: the log has $(grep -c '=== Running' /root/virt-sysprep-firstboot.log)"
END
ok 'an image with something to do at its first boot' "$kiln" build debian-12 -o web.img \
    --firstboot-command 'echo "firstboot: ran as $(id -un)"' --firstboot second.sh
like "$err$out" 'Engine: native' 'without an appliance'
ok 'its file system is clean' fsck_clean web.img 3

boot() { run "$kiln" boot web.img --persist --direct-kernel --timeout 20m --console-log "$1" --wait-for "$2"; }
boot first.log 'firstboot: the log has'
is "$status" 0 'the first boot comes to the scripts'
[ "$status" -eq 0 ] || { show; tail -n 30 first.log; } | sed 's/^/# /'
console=$(tr -d '\r\0' <first.log)
like "$console" 'firstboot: ran as root' 'the command ran'
like "$console" 'firstboot: the log has 2' 'the script ran behind it, and both are logged'

# The service has come to its end, with nothing to do.
boot second.log 'Finished.*once, at the first boot'
is "$status" 0 'the machine boots again'
[ "$status" -eq 0 ] || { show; tail -n 30 second.log; } | sed 's/^/# /'
unlike "$(tr -d '\r\0' <second.log)" 'firstboot: ' 'and runs none of it'
is "$(guest_cat web.img 3 /root/virt-sysprep-firstboot.log | grep -c '=== Running')" 2 'each ran once'
finish
