/* Guests as distributions lay them out, and what each operation must do to them. */
#pragma once

#include <string.h>

#include "base/str.h"
#include "guest/inspect/inspect.h"
#include "tests/unit/customize/fake_guest.h"

/* A content that starts with "->" is a link; NULL: a directory. */
struct planted {
    const char *path;
    const char *content;
};

/*
 * What an operation does: lines in the order of paths. "-PATH": is gone. "=PATH CONTENT": has that
 * content now. "+PATH CONTENT": was made.
 */
struct effect {
    const char *operation;
    const char *const *changes;
};

#define CHANGES(...) ((const char *const[]){__VA_ARGS__, NULL})

struct tree {
    const char *name;
    struct guest_info info;
    const struct planted *planted;
    size_t planted_count;
    const struct effect *effects;
    size_t effect_count;
};

/* In every guest. For each thing that goes, there is something like it that stays. */
static const struct planted common[] = {
    {"/etc/machine-id", "0123456789abcdef0123456789abcdef\n"},
    {"/etc/passwd", "root:x:0:0::/root:/bin/sh\nmail:x:8:8::/var/mail:/bin/sh\n"
                    "bob:x:1000:1000:Bob:/home/bob:/bin/sh\nann:x:1001:1001::/home/ann:/bin/sh\n"
                    "nobody:x:65534:65534::/:/bin/false\n"},
    {"/etc/shadow", "root:*:1::::::\nbob:$6$s$h:1::::::\nann:!:1::::::\n"},
    {"/etc/group", "root:x:0:\nwheel:x:10:ann,bob\nbob:x:1000:\nann:x:1001:bob\n"},
    {"/etc/passwd-", "old"},
    {"/etc/shadow-", "old"},
    {"/etc/group-", "old"},
    {"/etc/motd.bak", "old"},
    {"/etc/deep/er/conf~", "old"},
    {"/etc/deep/er/conf", "kept"},
    {"/usr/share/doc/x.bak", "kept"},
    {"/var/backups.bak/kept", "a directory does not count"},
    {"/etc/blkid.tab", "->/dev/.blkid.tab"},
    {"/etc/blkid/blkid.tab", "sda1"},
    {"/etc/krb5.keytab", "key"},
    {"/etc/krb5.conf", "kept"},
    {"/etc/lvm/devices/system.devices", "IDTYPE=sys_wwid"},
    {"/etc/lvm/lvm.conf", "kept"},
    {"/etc/smolt/uuid", "1"},
    {"/etc/smolt/config", "kept"},
    {"/etc/udev/rules.d/70-persistent-net.rules", "eth0"},
    {"/etc/udev/rules.d/60-own.rules", "kept"},
    {"/etc/ipa/ca.crt", "cert"},
    {"/etc/ipa/kept", "kept"},
    {"/var/lib/ipa-client/pki/cert9.db", "db"},
    {"/etc/ssh/ssh_host_rsa_key", "secret"},
    {"/etc/ssh/ssh_host_rsa_key.pub", "public"},
    {"/etc/ssh/ssh_host_ed25519_key", "secret"},
    {"/etc/ssh/sshd_config", "kept"},
    {"/home/bob/.bash_history", "ls"},
    {"/home/bob/.zsh_history", "ls"},
    {"/home/bob/.bashrc", "kept"},
    {"/home/bob/.ssh/id_rsa", "key"},
    {"/home/ann/notes", "kept"},
    {"/root/.bash_history", "ls"},
    {"/root/.ssh/authorized_keys", "key"},
    {"/root/kept", "kept"},
    {"/tmp/.hidden", "t"},
    {"/tmp/..odd", "t"},
    {"/tmp/dir/x", "t"},
    {"/var/tmp/x", "t"},
    {"/var/crash/127.0.0.1/vmcore", "core"},
    {"/var/kerberos/krb5kdc/principal", "db"},
    {"/var/kerberos/krb5kdc/kdc.conf", "kept"},
    {"/var/lib/AccountService/users/bob", "u"},
    {"/var/lib/cloud/instance", "->/var/lib/cloud/instances/i-1"},
    {"/var/lib/cloud/instances/i-1/boot-finished", "1"},
    {"/var/lib/cloud/data/instance-id", "i-1"},
    {"/var/lib/cloud/sem/config_scripts_per_once.once", "1"},
    {"/var/lib/cloud/seed/nocloud/meta-data", "instance-id: i-1"},
    {"/var/lib/cloud/scripts/per-boot/own.sh", "kept"},
    {"/var/lib/cloud/scripts/vendor/part-1", "v"},
    {"/etc/cloud/cloud.cfg", "kept"},
    {"/var/lib/dovecot/instances", "i"},
    {"/var/lib/dovecot/dir/kept", "kept"},
    {"/var/lib/puppet/ssl/ca/key.pem", "k"},
    {"/var/lib/puppet/state/x", "s"},
    {"/var/lib/puppet/kept", "kept"},
    {"/var/log/puppet/agent.log", "l"},
    {"/var/lib/samba/private/secrets.tdb", "s"},
    {"/var/lib/samba/registry.tdb", "r"},
    {"/var/log/samba/old/log.1", "l"},
    {"/var/lib/sss/db/cache.ldb", "c"},
    {"/var/lib/sss/kept", "kept"},
    {"/var/lib/snapd/device/private-keys-v1/abc", "key"},
    {"/var/lib/snapd/cache/1", "c"},
    {"/var/lib/snapd/snaps/core.snap", "kept"},
    {"/var/lib/snapd/state.json",
     "{\"data\":{\"auth\":{\"device\":{\"brand\":\"b\",\"serial\":\"s\",\"key-id\":\"k\"}},"
     "\"snaps\":{}}}"},
    {"/var/log/cloud-init.log", "l"},
    {"/var/log/cloud-init-output.log", "l"},
    {"/var/log/journal/0123/system.journal", "j"},
    {"/var/log/wtmp", "w"},
    {"/var/log/apt/history.log", "h"},
    {"/var/log/README", "kept"},
    {"/var/spool/abrt/ccpp-1/coredump", "c"},
    {"/var/mail/bob", "mail"},
    {"/run/utmp", "u"},
    {"/run/faillock/bob", "f"},
    {"/var/run", "->/run"},
    {"/var/named/data/named.run", "n"},
    {"/var/lib/amazon/ssm/Vault/Store/RegistrationKey", "x"},
    {"/var/lib/amazon/ssm/i-0a/document/1", "x"},
    {"/var/lib/amazon/ssm/registration", "x"},
    {"/var/log/amazon/ssm/agent.log", "x"},
    {"/etc/amazon/ssm/seelog.xml", "kept"},
    {"/var/lib/amazon/ssm/packages/kept", "kept"},
    {"/var/lib/filebeat/meta.json", "x"},
    {"/var/lib/metricbeat/meta.json", "x"},
    {"/var/lib/filebeat/registry/filebeat/log.json", "kept"},
    {"/etc/ceph/ceph.client.admin.keyring", "x"},
    {"/etc/ceph/ceph.conf", "kept"},
    {"/var/lib/ceph/mon/ceph-a/keyring", "k"},
    {"/var/lib/ceph/kept", "kept"},
    {"/var/lib/cmk-agent/registered_connections.json", "x"},
    {"/var/lib/cmk-agent/kept", "kept"},
    {"/etc/chef/client.pem", "x"},
    {"/etc/cinc/client.pem", "x"},
    {"/etc/chef/client.rb", "kept"},
    {"/etc/cockpit/ws-certs.d/0-self-signed.cert", "x"},
    {"/etc/cockpit/ws-certs.d/0-self-signed.key", "x"},
    {"/etc/cockpit/ws-certs.d/10-own.cert", "kept"},
    {"/opt/consul/node-id", "x"},
    {"/var/lib/nomad/client/client-id", "x"},
    {"/opt/consul/serf/kept", "kept"},
    {"/var/lib/containerd/io.containerd.grpc.v1.introspection/uuid", "x"},
    {"/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db", "kept"},
    {"/etc/corosync/authkey", "x"},
    {"/var/lib/corosync/ringid_10.0.0.1", "x"},
    {"/var/lib/pacemaker/cib/cib.xml", "x"},
    {"/var/lib/pcsd/pcsd.key", "x"},
    {"/etc/corosync/corosync.conf", "kept"},
    {"/etc/docker/key.json", "x"},
    {"/var/lib/docker/engine-id", "x"},
    {"/etc/docker/daemon.json", "kept"},
    {"/var/lib/docker/overlay2/kept", "kept"},
    {"/etc/dropbear/dropbear_rsa_host_key", "x"},
    {"/etc/dropbear/dropbear_ed25519_host_key", "x"},
    {"/etc/dropbear/authorized_keys", "kept"},
    {"/etc/dropbear/initramfs/dropbear_rsa_host_key", "kept"},
    {"/etc/gitlab-runner/.runner_system_id", "x"},
    {"/etc/gitlab-runner/config.toml", "kept"},
    {"/etc/google_instance_id", "x"},
    {"/etc/default/instance_configs.cfg", "kept"},
    {"/var/lib/icinga2/certs/web.crt", "x"},
    {"/var/lib/icinga2/certs/web.key", "x"},
    {"/var/lib/icinga2/certs/ca.crt", "kept"},
    {"/etc/insights-client/machine-id", "x"},
    {"/etc/insights-client/.registered", "x"},
    {"/etc/insights-client/insights-client.conf", "kept"},
    {"/etc/iscsi/initiatorname.iscsi", "InitiatorName=iqn.1\n"},
    {"/etc/iscsi/iscsid.conf", "kept"},
    {"/etc/kubernetes/kubelet.conf", "x"},
    {"/etc/rancher/node/password", "x"},
    {"/etc/rancher/k3s/config.yaml", "kept"},
    {"/etc/kubernetes/pki/ca.key", "k"},
    {"/var/lib/kubelet/pki/kubelet.key", "k"},
    {"/var/lib/mysql/auto.cnf", "x"},
    {"/var/lib/mysql/ibdata1", "kept"},
    {"/etc/nvme/hostid", "x"},
    {"/etc/nvme/hostnqn", "x"},
    {"/etc/nvme/discovery.conf", "kept"},
    {"/etc/openvswitch/system-id.conf", "x"},
    {"/etc/openvswitch/conf.db", "kept"},
    {"/etc/postfix/main.cf",
     "mydomain = x\n#myhostname = a\nmyhostname =\n  web.x\nmyhostnames = b\n c\n"},
    {"/etc/puppetlabs/puppet/ssl/certs/web.pem", "x"},
    {"/etc/puppetlabs/puppet/ssl/private_keys/web.pem", "x"},
    {"/etc/puppetlabs/puppet/ssl/certs/ca.pem", "kept"},
    {"/etc/puppetlabs/puppet/ssl/ca/ca_key.pem", "kept"},
    {"/etc/salt/minion_id", "x"},
    {"/etc/salt/pki/minion/minion.pem", "x"},
    {"/etc/salt/pki/minion/minion.pub", "x"},
    {"/etc/salt/minion", "kept"},
    {"/etc/salt/pki/minion/minion_master.pub", "kept"},
    {"/var/lib/snmp/snmpd.conf", "engineBoots 3\noldEngineID 0x80\nkept\n"},
    {"/var/lib/systemd/credential.secret", "x"},
    {"/var/lib/tailscale/tailscaled.log.conf", "x"},
    {"/var/lib/tailscale/tailscaled.state", "x"},
    {"/etc/default/tailscaled", "kept"},
    {"/var/lib/systemd/tpm2-srk-public-key.pem", "x"},
    {"/var/lib/systemd/pcrlock.json", "kept"},
    {"/var/lib/waagent/events/1", "e"},
    {"/var/lib/waagent/provisioned", "p"},
    {"/etc/waagent.conf", "kept"},
    {"/var/log/waagent.log", "l"},
    {"/etc/zabbix/zabbix_agentd.conf", "Server=z\n# Hostname=\nHostname=web\n"},
    {"/var/lib/zerotier-one/authtoken.secret", "x"},
    {"/var/lib/zerotier-one/identity.public", "x"},
    {"/var/lib/zerotier-one/identity.secret", "x"},
    {"/var/lib/zerotier-one/networks.d/1.conf", "kept"},
    {"/etc/hostid", "x"},
    {"/etc/hostid.d/kept", "kept"},
};

static const struct effect common_effects[] = {
    {"abrt-data", CHANGES("-/var/spool/abrt/ccpp-1", "-/var/spool/abrt/ccpp-1/coredump")},
    {"backup-files", CHANGES("-/etc/deep/er/conf~", "-/etc/motd.bak")},
    {"bash-history", CHANGES("-/home/bob/.bash_history", "-/root/.bash_history")},
    {"blkid-tab", CHANGES("-/etc/blkid/blkid.tab")},
    {"cloud-init",
     CHANGES("-/var/lib/cloud/data/instance-id", "-/var/lib/cloud/instance",
             "-/var/lib/cloud/instances/i-1", "-/var/lib/cloud/instances/i-1/boot-finished",
             "-/var/lib/cloud/scripts/vendor/part-1", "-/var/lib/cloud/seed/nocloud",
             "-/var/lib/cloud/seed/nocloud/meta-data",
             "-/var/lib/cloud/sem/config_scripts_per_once.once", "-/var/log/cloud-init-output.log",
             "-/var/log/cloud-init.log")},
    {"crash-data", CHANGES("-/var/crash/127.0.0.1", "-/var/crash/127.0.0.1/vmcore")},
    {"dovecot-data", CHANGES("-/var/lib/dovecot/instances")},
    {"flag-reconfiguration", CHANGES("+/.unconfigured ")},
    {"ipa-client", CHANGES("-/etc/ipa/ca.crt", "-/var/lib/ipa-client/pki/cert9.db")},
    {"journal", CHANGES("-/var/log/journal/0123", "-/var/log/journal/0123/system.journal")},
    {"kerberos-data", CHANGES("-/var/kerberos/krb5kdc/principal")},
    {"kerberos-hostkeytab", CHANGES("-/etc/krb5.keytab")},
    {"logfiles", CHANGES("-/var/lib/AccountService/users/bob", "-/var/log/apt/history.log",
                         "-/var/log/cloud-init-output.log", "-/var/log/cloud-init.log",
                         "-/var/log/journal/0123", "-/var/log/journal/0123/system.journal",
                         "-/var/log/waagent.log", "-/var/log/wtmp", "-/var/named/data/named.run")},
    {"lvm-system-devices", CHANGES("-/etc/lvm/devices/system.devices")},
    {"mail-spool", CHANGES("-/var/mail/bob")},
    {"pam-data", CHANGES("-/run/faillock/bob")},
    {"passwd-backups", CHANGES("-/etc/group-", "-/etc/passwd-", "-/etc/shadow-")},
    {"puppet-data-log", CHANGES("-/var/lib/puppet/ssl/ca/key.pem", "-/var/lib/puppet/state/x",
                                "-/var/log/puppet/agent.log")},
    {"samba-db-log", CHANGES("-/var/lib/samba/private/secrets.tdb", "-/var/lib/samba/registry.tdb",
                             "-/var/log/samba/old/log.1")},
    {"smolt-uuid", CHANGES("-/etc/smolt/uuid")},
    {"snapd-state", CHANGES("-/var/lib/snapd/cache/1", "-/var/lib/snapd/device/private-keys-v1/abc",
                            "=/var/lib/snapd/state.json "
                            "{\"data\":{\"auth\":{\"device\":{\"brand\":\"b\"}},\"snaps\":{}}}")},
    {"ssh-hostkeys", CHANGES("-/etc/ssh/ssh_host_ed25519_key", "-/etc/ssh/ssh_host_rsa_key",
                             "-/etc/ssh/ssh_host_rsa_key.pub")},
    {"ssh-userdir", CHANGES("-/home/bob/.ssh", "-/home/bob/.ssh/id_rsa", "-/root/.ssh",
                            "-/root/.ssh/authorized_keys")},
    {"sssd-db-log", CHANGES("-/var/lib/sss/db/cache.ldb")},
    {"tmp-files",
     CHANGES("-/tmp/..odd", "-/tmp/.hidden", "-/tmp/dir", "-/tmp/dir/x", "-/var/tmp/x")},
    {"udev-persistent-net", CHANGES("-/etc/udev/rules.d/70-persistent-net.rules")},
    {"user-account",
     CHANGES("=/etc/group root:x:0:\nwheel:x:10:\n",
             "=/etc/passwd root:x:0:0::/root:/bin/sh\nmail:x:8:8::/var/mail:/bin/sh\n"
             "nobody:x:65534:65534::/:/bin/false\n",
             "=/etc/shadow root:*:1::::::\n", "-/home/ann", "-/home/ann/notes", "-/home/bob",
             "-/home/bob/.bash_history", "-/home/bob/.bashrc", "-/home/bob/.ssh",
             "-/home/bob/.ssh/id_rsa", "-/home/bob/.zsh_history", "-/var/mail/bob")},
    {"utmp", CHANGES("-/run/utmp")},
    {"zsh-history", CHANGES("-/home/bob/.zsh_history")},
    {"amazon-ssm-agent",
     CHANGES("-/var/lib/amazon/ssm/Vault", "-/var/lib/amazon/ssm/Vault/Store",
             "-/var/lib/amazon/ssm/Vault/Store/RegistrationKey", "-/var/lib/amazon/ssm/i-0a",
             "-/var/lib/amazon/ssm/i-0a/document", "-/var/lib/amazon/ssm/i-0a/document/1",
             "-/var/lib/amazon/ssm/registration", "-/var/log/amazon/ssm/agent.log")},
    {"beats-uuid", CHANGES("-/var/lib/filebeat/meta.json", "-/var/lib/metricbeat/meta.json")},
    {"ceph-data", CHANGES("-/etc/ceph/ceph.client.admin.keyring", "-/var/lib/ceph/mon/ceph-a",
                          "-/var/lib/ceph/mon/ceph-a/keyring")},
    {"checkmk-agent", CHANGES("-/var/lib/cmk-agent/registered_connections.json")},
    {"chef-client", CHANGES("-/etc/chef/client.pem", "-/etc/cinc/client.pem")},
    {"cockpit-certs", CHANGES("-/etc/cockpit/ws-certs.d/0-self-signed.cert",
                              "-/etc/cockpit/ws-certs.d/0-self-signed.key")},
    {"consul-node-id", CHANGES("-/opt/consul/node-id", "-/var/lib/nomad/client/client-id")},
    {"containerd-uuid", CHANGES("-/var/lib/containerd/io.containerd.grpc.v1.introspection/uuid")},
    {"corosync-data", CHANGES("-/etc/corosync/authkey", "-/var/lib/corosync/ringid_10.0.0.1",
                              "-/var/lib/pacemaker/cib/cib.xml", "-/var/lib/pcsd/pcsd.key")},
    {"docker-id", CHANGES("-/etc/docker/key.json", "-/var/lib/docker/engine-id")},
    {"dropbear-hostkeys",
     CHANGES("-/etc/dropbear/dropbear_rsa_host_key", "-/etc/dropbear/dropbear_ed25519_host_key")},
    {"gitlab-runner-id", CHANGES("-/etc/gitlab-runner/.runner_system_id")},
    {"google-guest-agent", CHANGES("-/etc/google_instance_id")},
    {"icinga2-certs",
     CHANGES("-/var/lib/icinga2/certs/web.crt", "-/var/lib/icinga2/certs/web.key")},
    {"insights-client",
     CHANGES("-/etc/insights-client/machine-id", "-/etc/insights-client/.registered")},
    {"kubernetes-node", CHANGES("-/etc/kubernetes/kubelet.conf", "-/etc/rancher/node/password",
                                "-/etc/kubernetes/pki", "-/etc/kubernetes/pki/ca.key",
                                "-/var/lib/kubelet/pki", "-/var/lib/kubelet/pki/kubelet.key")},
    {"mysql-server-uuid", CHANGES("-/var/lib/mysql/auto.cnf")},
    {"nvme-hostid", CHANGES("-/etc/nvme/hostid", "-/etc/nvme/hostnqn")},
    {"openvswitch-system-id", CHANGES("-/etc/openvswitch/system-id.conf")},
    {"postfix-hostname",
     CHANGES("=/etc/postfix/main.cf mydomain = x\n#myhostname = a\nmyhostnames = b\n c\n")},
    {"puppet-ssl", CHANGES("-/etc/puppetlabs/puppet/ssl/certs/web.pem",
                           "-/etc/puppetlabs/puppet/ssl/private_keys/web.pem")},
    {"salt-minion", CHANGES("-/etc/salt/minion_id", "-/etc/salt/pki/minion/minion.pem",
                            "-/etc/salt/pki/minion/minion.pub")},
    {"snmpd-engine-id", CHANGES("=/var/lib/snmp/snmpd.conf kept\n")},
    {"systemd-credentials", CHANGES("-/var/lib/systemd/credential.secret")},
    {"tailscale-state",
     CHANGES("-/var/lib/tailscale/tailscaled.log.conf", "-/var/lib/tailscale/tailscaled.state")},
    {"tpm2-srk", CHANGES("-/var/lib/systemd/tpm2-srk-public-key.pem")},
    {"waagent-state", CHANGES("-/var/lib/waagent/events", "-/var/lib/waagent/events/1",
                              "-/var/lib/waagent/provisioned", "-/var/log/waagent.log")},
    {"zabbix-agent", CHANGES("=/etc/zabbix/zabbix_agentd.conf Server=z\n# Hostname=\n")},
    {"zerotier-identity",
     CHANGES("-/var/lib/zerotier-one/authtoken.secret", "-/var/lib/zerotier-one/identity.public",
             "-/var/lib/zerotier-one/identity.secret")},
    {"zfs-hostid", CHANGES("-/etc/hostid")},
};

#define OUR_UNIT                                                                                   \
    "[Unit]\n"                                                                                     \
    "Description=Make SSH host keys where there are none\n"                                        \
    "Documentation=man:ssh-keygen(1)\n"                                                            \
    "ConditionPathExistsGlob=!/etc/ssh/ssh_host_*_key\n"                                           \
    "After=cloud-init.service cloud-init-network.service\n"                                        \
    "Before=ssh.service sshd.service ssh.socket sshd.socket\n\n"                                   \
    "[Service]\nType=oneshot\nExecStart=/usr/bin/ssh-keygen -A\n"

static const struct planted debian[] = {
    {"/etc/hostname", "old\n"},
    {"/etc/hosts", "127.0.0.1 localhost\n127.0.1.1 old.example.com old\n10.0.0.1 older\n"},
    {"/etc/systemd/system/multi-user.target.wants", NULL},
    {"/usr/lib/systemd/system/ssh.service", "[Service]\nExecStartPre=/usr/sbin/sshd -t\n"
                                            "ExecStart=/usr/sbin/sshd -D $SSHD_OPTS\n"},
    {"/lib", "->usr/lib"},
    {"/usr/sbin/sshd", "elf"},
    {"/usr/bin/ssh-keygen", "elf"},
    {"/usr/lib/open-iscsi/startup-checks.sh", "grep -q \"^GenerateName=yes\" $NAMEFILE\n"},
    {"/var/cache/apt/archives/lock", ""},
    {"/var/cache/apt/archives/partial/x.deb", "p"},
    {"/var/cache/apt/pkgcache.bin", "kept"},
    {"/var/lib/dbus/machine-id", "->/etc/machine-id"},
    {"/var/lib/dhcp/dhclient.eth0.leases", "lease"},
    {"/var/lib/systemd/network/duid", "d"},
    {"/var/lib/systemd/random-seed", "seed"},
    {"/var/lib/systemd/timers/kept", "kept"},
    {"/var/lib/urandom/random-seed", "seed"},
    {"/var/log/account/pacct", "p"},
    {"/var/log/account/pacct.1", "p"},
    {"/var/log/syslog.1", "s"},
    {"/var/spool/cron/atjobs/.SEQ", "00017\n"},
    {"/var/spool/cron/atjobs/a0001", "job"},
    {"/var/spool/cron/crontabs/bob", "job"},
    {"/etc/cron.d/kept", "kept"},
};

static const struct effect debian_effects[] = {
    {"iscsi-initiator", CHANGES("=/etc/iscsi/initiatorname.iscsi GenerateName=yes\n")},
    {"cron-spool", CHANGES("=/var/spool/cron/atjobs/.SEQ 00000\n", "-/var/spool/cron/atjobs/a0001",
                           "-/var/spool/cron/crontabs/bob")},
    {"dhcp-client-state", CHANGES("-/var/lib/dhcp/dhclient.eth0.leases")},
    {"dhcp-duid", CHANGES("-/var/lib/dhcp/dhclient.eth0.leases", "-/var/lib/systemd/network/duid")},
    {"hostname", CHANGES("=/etc/hostname localhost\n",
                         "=/etc/hosts 127.0.0.1 localhost\n127.0.1.1 old.example.com "
                         "unassigned-hostname\n10.0.0.1 older\n")},
    {"logfiles", CHANGES("-/var/log/syslog.1")},
    {"machine-id", CHANGES("=/etc/machine-id ")},
    {"package-manager-cache",
     CHANGES("-/var/cache/apt/archives/lock", "-/var/cache/apt/archives/partial/x.deb")},
    {"pacct-log", CHANGES("=/var/log/account/pacct ", "-/var/log/account/pacct.1")},
    {"random-seed", CHANGES("-/var/lib/systemd/random-seed", "-/var/lib/urandom/random-seed")},
    {"ssh-hostkeys", CHANGES("+/etc/systemd/system-preset (directory)",
                             "+/etc/systemd/system-preset/00-kiln-ssh-hostkeys.preset "
                             "enable kiln-ssh-hostkeys.service\n",
                             "+/etc/systemd/system/kiln-ssh-hostkeys.service " OUR_UNIT,
                             "+/etc/systemd/system/multi-user.target.wants/"
                             "kiln-ssh-hostkeys.service "
                             "->/etc/systemd/system/kiln-ssh-hostkeys.service")},
};

static const struct planted redhat[] = {
    {"/etc/hostname", "web.example.com\n"},
    {"/etc/hosts", "127.0.0.1 localhost web.example.com\n"},
    {"/etc/machine-info", "PRETTY_HOSTNAME=\"The web\"\nICON_NAME=computer-vm\n"},
    {"/etc/sysconfig/network-scripts/ifcfg-eth0",
     "DEVICE=eth0\nHWADDR=52:54:00:00:00:01\nDHCP_HOSTNAME=web\nONBOOT=yes"},
    {"/etc/sysconfig/network-scripts/ifcfg-lo", "DEVICE=lo\n# HWADDR=1\n"},
    {"/etc/sysconfig/iptables", "-A INPUT"},
    {"/etc/sysconfig/rhn/systemid", "1"},
    {"/etc/sysconfig/rhn/up2date", "kept"},
    {"/etc/firewalld/zones/public.xml", "z"},
    {"/etc/firewalld/firewalld.conf", "kept"},
    {"/etc/NetworkManager/system-connections/ens3.nmconnection", "[connection]"},
    {"/etc/NetworkManager/NetworkManager.conf", "kept"},
    {"/etc/pki/CA/private/my.key", "k"},
    {"/etc/pki/tls/certs/ca-bundle.crt", "kept"},
    {"/etc/pki/tls/certs/web.crt", "c"},
    {"/etc/pki/consumer/cert.pem", "c"},
    {"/etc/pki/entitlement/1.pem", "c"},
    {"/etc/pki/product/kept.pem", "kept"},
    {"/usr/lib/systemd/system/sshd.service",
     "[Unit]\nAfter=network.target sshd-keygen.target\nWants=sshd-keygen.target\n"},
    {"/usr/lib/systemd/system/sshd-keygen.target", "[Unit]\nWants=sshd-keygen@rsa.service\n"},
    {"/usr/lib/systemd/system/iscsi-init.service",
     "[Service]\nExecStart=iscsi-gen-initiatorname\n"},
    {"/usr/sbin/sshd", "elf"},
    {"/usr/bin/ssh-keygen", "elf"},
    {"/root/anaconda-ks.cfg", "ks"},
    {"/var/account/pacct", "p"},
    {"/var/account/pacct-20240101.gz", "p"},
    {"/var/cache/dnf/base-1/packages/x.rpm", "r"},
    {"/var/cache/yum/x86_64/9/x", "r"},
    {"/var/lib/dbus/machine-id", "0123456789abcdef0123456789abcdef\n"},
    {"/var/lib/dhclient/dhclient.leases", "l"},
    {"/var/lib/dhcpd/dhcpd.leases", "l"},
    {"/var/lib/NetworkManager/secret_key", "k"},
    {"/var/lib/NetworkManager/internal-1-ens3.lease", "l"},
    {"/var/lib/NetworkManager/NetworkManager.state", "kept"},
    {"/var/lib/rpm/__db.001", "d"},
    {"/var/lib/rpm/Packages", "kept"},
    {"/var/lib/systemd/random-seed", "seed"},
    {"/var/lib/yum/uuid", "u"},
    {"/var/lib/yum/history/kept", "kept"},
    {"/var/spool/at/.SEQ", "00002\n"},
    {"/var/spool/at/a0002", "job"},
    {"/var/spool/at/spool", NULL},
    {"/var/spool/cron/root", "job"},
};

static const struct effect redhat_effects[] = {
    {"ca-certificates", CHANGES("-/etc/pki/CA/private/my.key", "-/etc/pki/tls/certs/web.crt")},
    {"cron-spool",
     CHANGES("=/var/spool/at/.SEQ 00000\n", "-/var/spool/at/a0002", "-/var/spool/cron/root")},
    {"dhcp-client-state", CHANGES("-/var/lib/dhclient/dhclient.leases")},
    {"dhcp-duid",
     CHANGES("-/var/lib/NetworkManager/internal-1-ens3.lease",
             "-/var/lib/NetworkManager/secret_key", "-/var/lib/dhclient/dhclient.leases")},
    {"dhcp-server-state", CHANGES("-/var/lib/dhcpd/dhcpd.leases")},
    {"firewall-rules", CHANGES("-/etc/firewalld/zones/public.xml", "-/etc/sysconfig/iptables")},
    {"hostname",
     CHANGES("=/etc/hostname localhost\n", "=/etc/machine-info ICON_NAME=computer-vm\n")},
    {"logfiles", CHANGES("-/root/anaconda-ks.cfg")},
    {"machine-id", CHANGES("=/etc/machine-id ", "=/var/lib/dbus/machine-id ")},
    {"iscsi-initiator", CHANGES("-/etc/iscsi/initiatorname.iscsi")},
    {"net-hostname", CHANGES("=/etc/sysconfig/network-scripts/ifcfg-eth0 "
                             "DEVICE=eth0\nHWADDR=52:54:00:00:00:01\nONBOOT=yes")},
    {"net-hwaddr", CHANGES("=/etc/sysconfig/network-scripts/ifcfg-eth0 "
                           "DEVICE=eth0\nDHCP_HOSTNAME=web\nONBOOT=yes")},
    {"net-nmconn", CHANGES("-/etc/NetworkManager/system-connections/ens3.nmconnection")},
    {"package-manager-cache",
     CHANGES("-/var/cache/dnf/base-1/packages/x.rpm", "-/var/cache/yum/x86_64/9/x")},
    {"pacct-log", CHANGES("=/var/account/pacct ", "-/var/account/pacct-20240101.gz")},
    {"random-seed", CHANGES("-/var/lib/systemd/random-seed")},
    {"rh-subscription-manager",
     CHANGES("-/etc/pki/consumer/cert.pem", "-/etc/pki/entitlement/1.pem")},
    {"rhn-systemid", CHANGES("-/etc/sysconfig/rhn/systemid")},
    {"rpm-db", CHANGES("-/var/lib/rpm/__db.001")},
    {"yum-uuid", CHANGES("-/var/lib/yum/uuid")},
};

static const struct planted suse[] = {
    {"/etc/hostname", "web\n"},
    {"/etc/HOSTNAME", "->hostname"},
    {"/etc/hosts", "127.0.0.1 localhost\n"},
    {"/etc/NetworkManager/system-connections/kept.nmconnection", "kept"},
    {"/usr/lib/systemd/system/sshd.service",
     "[Service]\nExecStartPre=/usr/sbin/sshd-gen-keys-start\n"},
    {"/usr/sbin/sshd-gen-keys-start", "#!/bin/sh"},
    {"/usr/sbin/sshd", "elf"},
    {"/usr/bin/ssh-keygen", "elf"},
    {"/var/cache/zypp/packages/oss/x.rpm", "r"},
    {"/var/lib/misc/random-seed", "seed"},
    {"/var/lib/wicked/duid.xml", "d"},
    {"/var/lib/wicked/lease-eth0-dhcp-ipv4.xml", "l"},
    {"/var/lib/wicked/kept.xml", "kept"},
    {"/var/spool/atjobs/.SEQ", "00001\n"},
    {"/var/spool/atjobs/a1", "job"},
    {"/var/spool/atspool/a1", "out"},
    {"/var/spool/cron/tabs/root", "job"},
};

static const struct effect suse_effects[] = {
    {"cron-spool", CHANGES("=/var/spool/atjobs/.SEQ 00000\n", "-/var/spool/atjobs/a1",
                           "-/var/spool/atspool/a1", "-/var/spool/cron/tabs/root")},
    {"dhcp-duid",
     CHANGES("-/var/lib/wicked/duid.xml", "-/var/lib/wicked/lease-eth0-dhcp-ipv4.xml")},
    {"hostname", CHANGES("=/etc/hostname localhost\n")},
    {"machine-id", CHANGES("=/etc/machine-id ")},
    {"package-manager-cache", CHANGES("-/var/cache/zypp/packages/oss/x.rpm")},
    {"random-seed", CHANGES("-/var/lib/misc/random-seed")},
};

static const struct planted alpine[] = {
    {"/etc/hostname", "old\n"},
    {"/etc/hosts", "127.0.0.1\told localhost\n"},
    {"/etc/dhcpcd.duid", "d"},
    {"/etc/dhcpcd.conf", "kept"},
    {"/etc/init.d/sshd", "#!/sbin/openrc-run\nstart_pre() {\n\tssh-keygen -A\n}\n"},
    {"/usr/sbin/sshd", "elf"},
    {"/usr/bin/ssh-keygen", "elf"},
    {"/var/cache/apk/x.apk", "a"},
    {"/var/lib/dhcpcd/duid", "d"},
    {"/var/lib/dhcpcd/eth0.lease", "l"},
    {"/var/spool/cron/crontabs", "->/etc/crontabs"},
    {"/etc/crontabs/root", "kept"},
};

static const struct effect alpine_effects[] = {
    {"cron-spool", CHANGES("-/var/spool/cron/crontabs")},
    {"dhcp-duid",
     CHANGES("-/etc/dhcpcd.duid", "-/var/lib/dhcpcd/duid", "-/var/lib/dhcpcd/eth0.lease")},
    {"hostname", CHANGES("=/etc/hostname localhost\n",
                         "=/etc/hosts 127.0.0.1\tunassigned-hostname localhost\n")},
    {"machine-id", CHANGES("-/etc/machine-id")},
    {"package-manager-cache", CHANGES("-/var/cache/apk/x.apk")},
};

#define TREE(shown, entries, id, number, starts, packages, host)                                   \
    {                                                                                              \
        .name = shown, .planted = entries, .planted_count = ARRAY_SIZE(entries),                   \
        .effects = entries##_effects, .effect_count = ARRAY_SIZE(entries##_effects),               \
        .info = {                                                                                  \
            .type = (char[]){"linux"},                                                             \
            .distro = (char[]){id},                                                                \
            .version = (char[]){number},                                                           \
            .init = (char[]){starts},                                                              \
            .package_manager = (char[]){packages},                                                 \
            .hostname = (char[]){host},                                                            \
        },                                                                                         \
    }

static const struct tree trees[] = {
    TREE("Debian", debian, "debian", "12", "systemd", "apt", "old"),
    TREE("Red Hat", redhat, "rhel", "9.4", "systemd", "dnf", "web.example.com"),
    TREE("SUSE", suse, "opensuse", "15.6", "systemd", "zypper", "web"),
    TREE("Alpine", alpine, "alpinelinux", "3.20", "openrc", "apk", "old"),
};

/* Puts it into a guest in memory. */
static inline void plant_fake(struct fake_guest *fake, const struct planted *planted, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct planted *one = &planted[i];
        if (!one->content)
            fake_add_dir(fake, one->path);
        else if (str_starts(one->content, "->"))
            fake_add_link(fake, one->path, one->content + 2);
        else
            fake_add_file(fake, one->path, 0644, 0, 0, one->content);
    }
}
