/* The rows of the table in operation.c, each defined in the file of its name. */
#pragma once

#include "sysprep/operation.h"

/* A list for struct sysprep_removal. */
#define PATHS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* That every --script can be run: before any image is touched. */
int sysprep_script_check(const struct sysprep_settings *settings, struct error **err);

extern const struct sysprep_operation sysprep_abrt_data;
extern const struct sysprep_operation sysprep_amazon_ssm_agent;
extern const struct sysprep_operation sysprep_backup_files;
extern const struct sysprep_operation sysprep_bash_history;
extern const struct sysprep_operation sysprep_beats_uuid;
extern const struct sysprep_operation sysprep_blkid_tab;
extern const struct sysprep_operation sysprep_ca_certificates;
extern const struct sysprep_operation sysprep_ceph_data;
extern const struct sysprep_operation sysprep_checkmk_agent;
extern const struct sysprep_operation sysprep_chef_client;
extern const struct sysprep_operation sysprep_cloud_init;
extern const struct sysprep_operation sysprep_cockpit_certs;
extern const struct sysprep_operation sysprep_consul_node_id;
extern const struct sysprep_operation sysprep_containerd_uuid;
extern const struct sysprep_operation sysprep_corosync_data;
extern const struct sysprep_operation sysprep_crash_data;
extern const struct sysprep_operation sysprep_cron_spool;
extern const struct sysprep_operation sysprep_customize;
extern const struct sysprep_operation sysprep_dhcp_client_state;
extern const struct sysprep_operation sysprep_dhcp_duid;
extern const struct sysprep_operation sysprep_dhcp_server_state;
extern const struct sysprep_operation sysprep_docker_id;
extern const struct sysprep_operation sysprep_dovecot_data;
extern const struct sysprep_operation sysprep_dropbear_hostkeys;
extern const struct sysprep_operation sysprep_firewall_rules;
extern const struct sysprep_operation sysprep_flag_reconfiguration;
extern const struct sysprep_operation sysprep_fs_uuids;
extern const struct sysprep_operation sysprep_gitlab_runner_id;
extern const struct sysprep_operation sysprep_google_guest_agent;
extern const struct sysprep_operation sysprep_hostname;
extern const struct sysprep_operation sysprep_icinga2_certs;
extern const struct sysprep_operation sysprep_insights_client;
extern const struct sysprep_operation sysprep_ipa_client;
extern const struct sysprep_operation sysprep_iscsi_initiator;
extern const struct sysprep_operation sysprep_journal;
extern const struct sysprep_operation sysprep_kerberos_data;
extern const struct sysprep_operation sysprep_kerberos_hostkeytab;
extern const struct sysprep_operation sysprep_kubernetes_node;
extern const struct sysprep_operation sysprep_logfiles;
extern const struct sysprep_operation sysprep_lvm_system_devices;
extern const struct sysprep_operation sysprep_lvm_uuids;
extern const struct sysprep_operation sysprep_machine_id;
extern const struct sysprep_operation sysprep_mail_spool;
extern const struct sysprep_operation sysprep_mysql_server_uuid;
extern const struct sysprep_operation sysprep_net_hostname;
extern const struct sysprep_operation sysprep_net_hwaddr;
extern const struct sysprep_operation sysprep_net_nmconn;
extern const struct sysprep_operation sysprep_nvme_hostid;
extern const struct sysprep_operation sysprep_openvswitch_system_id;
extern const struct sysprep_operation sysprep_pacct_log;
extern const struct sysprep_operation sysprep_package_manager_cache;
extern const struct sysprep_operation sysprep_pam_data;
extern const struct sysprep_operation sysprep_passwd_backups;
extern const struct sysprep_operation sysprep_postfix_hostname;
extern const struct sysprep_operation sysprep_puppet_data_log;
extern const struct sysprep_operation sysprep_puppet_ssl;
extern const struct sysprep_operation sysprep_random_seed;
extern const struct sysprep_operation sysprep_rh_subscription_manager;
extern const struct sysprep_operation sysprep_rhn_systemid;
extern const struct sysprep_operation sysprep_rpm_db;
extern const struct sysprep_operation sysprep_salt_minion;
extern const struct sysprep_operation sysprep_samba_db_log;
extern const struct sysprep_operation sysprep_script;
extern const struct sysprep_operation sysprep_smolt_uuid;
extern const struct sysprep_operation sysprep_snapd_state;
extern const struct sysprep_operation sysprep_snmpd_engine_id;
extern const struct sysprep_operation sysprep_ssh_hostkeys;
extern const struct sysprep_operation sysprep_ssh_userdir;
extern const struct sysprep_operation sysprep_sssd_db_log;
extern const struct sysprep_operation sysprep_swap_header;
extern const struct sysprep_operation sysprep_systemd_credentials;
extern const struct sysprep_operation sysprep_tailscale_state;
extern const struct sysprep_operation sysprep_tmp_files;
extern const struct sysprep_operation sysprep_tpm2_srk;
extern const struct sysprep_operation sysprep_udev_persistent_net;
extern const struct sysprep_operation sysprep_user_account;
extern const struct sysprep_operation sysprep_utmp;
extern const struct sysprep_operation sysprep_waagent_state;
extern const struct sysprep_operation sysprep_yum_uuid;
extern const struct sysprep_operation sysprep_zabbix_agent;
extern const struct sysprep_operation sysprep_zero_free;
extern const struct sysprep_operation sysprep_zerotier_identity;
extern const struct sysprep_operation sysprep_zfs_hostid;
extern const struct sysprep_operation sysprep_zsh_history;
