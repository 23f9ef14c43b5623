#!/bin/bash
# Labels in an SELinux guest, without an appliance: of what was touched, of everything, of nothing.
. "$(dirname "$0")/lib.sh"
use_test_repo
cd "$tmp" || exit 1

mkdir -p policy/selinux/targeted/contexts/files
printf 'SELINUX=enforcing\nSELINUXTYPE=targeted\n' >policy/selinux/config
sed 's/@\([a-z_]*\)/system_u:object_r:\1:s0/' >policy/selinux/targeted/contexts/files/file_contexts <<'END'
/.*                         @default_t
/proc(/.*)?                 <<none>>
/etc/.*                     @etc_t
/etc/motd           --      @motd_t
/usr/(.*/)?lib(/.*)?        @lib_t
/usr/bin/.*                 @bin_t
/root/\.ssh(/.*)?           @ssh_home_t
/var/www(/.*)?              @httpd_sys_content_t
END
echo '/srv/web /var/www' >policy/selinux/targeted/contexts/files/file_contexts.subs_dist

label() {
    debugfs -R "ea_get $2 security.selinux" "$1?offset=$(partition_offset "$1" 1)" 2>/dev/null |
        sed -n 's/.*= "\(.*\)"$/\1/p' | sed 's/\\000$//; s/.*:object_r:\(.*\):s0$/\1/'
}

ok 'a guest without SELinux' "$kiln" build -q mini -o web.img --delete /etc/motd
ok 'is left alone' "$kiln" customize -a web.img --selinux-relabel --write /etc/other:x
like "$err" 'this guest has none' 'and it says so'
is "$(label web.img /etc/other)" '' 'no label appears'
ok 'it gets a policy' "$kiln" customize -a web.img --copy-in policy/selinux:/etc
is "$(label web.img /etc/selinux/config)" '' 'which is not yet used'

cp web.img all.img
ok 'new files' "$kiln" customize -a web.img --write /etc/motd:x --mkdir /srv/web/deep \
    --link /etc/motd:/usr/bin/motd --append-line /etc/other:y
is "$(label web.img /etc/motd)" motd_t 'get the label of the policy'
is "$(label web.img /srv/web/deep)" httpd_sys_content_t 'by its aliases as well'
is "$(label web.img /usr/bin/motd)" bin_t 'and so do links'
is "$(label web.img /etc/other)" etc_t 'a changed file without a label gets one'
is "$(label web.img /etc/hostname)" '' 'what was not touched stays'
is "$(guest_cat web.img 1 /.autorelabel)$(label web.img /.autorelabel)" '' 'nothing is left to the next boot'
ok 'a label is kept' "$kiln" customize -a web.img --append-line /etc/motd:y --no-selinux-relabel --write /etc/bare:x
is "$(label web.img /etc/motd)$(label web.img /etc/bare)" motd_t 'and none is made on request'
ok 'the file system is clean' fsck_clean web.img 1

ok 'everything' "$kiln" customize -a all.img --selinux-relabel --selinux-relabel-exclude /usr/share
for pair in /etc/hostname=etc_t /usr/bin/busybox=bin_t /usr/lib=lib_t /=default_t /usr/share= /proc=; do
    is "$(label all.img "${pair%=*}")" "${pair#*=}" "label of ${pair%=*}: ${pair#*=}"
done
ok 'the file system is clean then, too' fsck_clean all.img 1
ok 'the guest may do it itself' "$kiln" customize -a all.img --selinux-relabel-at-boot
ok 'it will see the mark' debugfs -R 'stat /.autorelabel' "all.img?offset=$(partition_offset all.img 1)"
like "$out" 'Type: regular' 'the mark is there'
fails 2 'exclude each other' 'two choices are one too many' \
    "$kiln" customize -a all.img --selinux-relabel --no-selinux-relabel
finish
