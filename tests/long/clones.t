#!/bin/bash
# Clones that cannot be told for one another: a debian-12 that has lived (booted once, so that it has an
# identity) is sealed; two linked clones and a third one without a seed are booted, and each tells
# from inside who it is.
. "$(dirname "$0")/../cli/lib.sh"
use_test_repo
cd "$tmp" || exit 1

# What each machine says about itself on the console, before anybody can log in.
cat >tell <<'END'
#!/bin/sh
lease=
for _ in $(seq 30); do
    lease=$(ls /run/systemd/netif/leases/* 2>/dev/null | head -n 1)
    [ -n "$lease" ] && break
    sleep 1
done
digest() { sha256sum | cut -c 1-32; }
{
    echo "told machine-id $(cat /etc/machine-id) end"
    for key in rsa ecdsa ed25519; do
        echo "told key-$key $(cut -d' ' -f2 /etc/ssh/ssh_host_${key}_key.pub | digest) end"
    done
    [ -n "$lease" ] && echo "told client-id $(sed -n s/^CLIENTID=//p "$lease") end"
    echo "told hostname $(hostname) end"
    echo "told random-seed $(digest </var/lib/systemd/random-seed) end"
    echo "told sshd $(systemctl is-active ssh) end"
    ssh-keyscan -T 20 -t ed25519 127.0.0.1 >/tmp/scan 2>/dev/null
    echo "told answered $(cut -d' ' -f3 /tmp/scan | digest) end"
} >/dev/console
END
cat >tell.service <<'END'
[Unit]
After=ssh.service systemd-networkd.service
Before=cloud-final.service serial-getty@ttyS0.service getty@tty1.service
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/tell
END
chmod 755 tell
told() { grep -ao "told $2 .* end" "$1.log" | tail -n 1 | cut -d' ' -f3; }
facts=(machine-id key-rsa key-ecdsa key-ed25519 client-id hostname random-seed)

ok 'debian-12 builds' "$kiln" build debian-12 -o machine.img --upload tell:/usr/local/sbin/tell \
    --upload tell.service:/etc/systemd/system/tell.service \
    --link /etc/systemd/system/tell.service:/etc/systemd/system/multi-user.target.wants/tell.service

# It lives: this boot does write into the image.
printf '#cloud-config\npower_state: {mode: poweroff, timeout: 60}\n' >off
ok 'the original gets a seed' "$kiln" seed -o original.iso --user-data off --hostname original
timeout 1800 qemu-system-x86_64 -machine q35 -accel tcg -m 512 -nographic -no-reboot -monitor none \
    -drive file=machine.img,format=raw,if=virtio -drive file=original.iso,format=raw,if=virtio,readonly=on \
    -nic user,model=virtio-net-pci -serial file:original.log -display none </dev/null >qemu.out 2>&1
is $? 0 'the original boots and switches itself off'
is "$(told original sshd)" active 'its sshd ran'
ok 'its file system is clean' fsck_clean machine.img 3
like "$(guest_cat machine.img 3 /etc/machine-id)" '^[0-9a-f]{32}$' 'it has a machine-id'
like "$(guest_cat machine.img 3 /etc/ssh/ssh_host_ed25519_key.pub)" '^ssh-ed25519' 'it has host keys'

ok 'it is prepared and sealed' "$kiln" sysprep --seal machine.img
like "$out" 'ngine:? native' 'without an appliance'
ok 'the file system is clean still' fsck_clean machine.img 3
is "$(guest_cat machine.img 3 /etc/machine-id)" '' 'the machine-id is empty'
is "$(guest_cat machine.img 3 /etc/hostname)" localhost 'the host name is reset'
for path in /etc/ssh/ssh_host_ed25519_key /var/lib/systemd/random-seed /var/lib/cloud/data/instance-id \
    /var/log/cloud-init.log; do
    is "$(guest_cat machine.img 3 $path | wc -c)" 0 "$path is gone"
done
like "$(guest_cat machine.img 3 /etc/systemd/system/kiln-ssh-hostkeys.service)" 'ssh-keygen -A' \
    'something will make host keys'
fails 1 'seal' 'a sealed template is not written to' "$kiln" customize machine.img --write /etc/motd:x

boot() {
    local name=$1
    shift
    qemu-img create -q -f qcow2 -b "$tmp/machine.img" -F raw "$name.qcow2" &&
        "$kiln" boot "$name.qcow2" "$@" --timeout 1800s --console-log "$name.log" --json >"$name.json" 2>"$name.err"
}
printf '#cloud-config\n{}\n' >nothing
for name in web1 web2; do
    ok "$name gets a seed" "$kiln" seed -o $name.iso --user-data nothing --hostname $name
    boot $name --seed $name.iso
done
boot bare
for name in web1 web2; do
    is "$(jq -r .verdict $name.json)" cloud-init-done "$name boots"
done
is "$(jq -r .verdict bare.json)" login-prompt 'a clone without a seed boots'
for name in web1 web2 bare; do
    [ -n "$(told $name answered)" ] || { cat $name.err; tail -n 30 $name.log; } | sed 's/^/# /'
    is "$(told $name sshd)" active "$name: sshd runs"
    is "$(told $name answered)" "$(told $name key-ed25519)" "$name: and answers with its own key"
done

for fact in "${facts[@]}"; do
    values=$(for name in original web1 web2; do told $name "$fact"; done)
    is "$(sort -u <<<"$values" | grep -c .)" 3 "$fact: the original and both clones differ"
done
for fact in machine-id key-rsa key-ecdsa key-ed25519 random-seed; do
    values=$(for name in original web1 web2 bare; do told $name "$fact"; done)
    is "$(sort -u <<<"$values" | grep -c .)" 4 "$fact: so does the clone without a seed"
done
is "$(told web1 hostname) $(told web2 hostname)" 'web1 web2' 'the clones have the names of their seeds'
finish
