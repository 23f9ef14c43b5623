#include "sysprep/operation.h"

#include <errno.h>
#include <string.h>

#include "sysprep/operations.h"
#include "sysprep/remove.h"

const struct sysprep_operation *const sysprep_operations[] = {
    &sysprep_abrt_data,
    &sysprep_amazon_ssm_agent,
    &sysprep_backup_files,
    &sysprep_bash_history,
    &sysprep_beats_uuid,
    &sysprep_blkid_tab,
    &sysprep_ca_certificates,
    &sysprep_ceph_data,
    &sysprep_checkmk_agent,
    &sysprep_chef_client,
    &sysprep_cloud_init,
    &sysprep_cockpit_certs,
    &sysprep_consul_node_id,
    &sysprep_containerd_uuid,
    &sysprep_corosync_data,
    &sysprep_crash_data,
    &sysprep_cron_spool,
    &sysprep_dhcp_client_state,
    &sysprep_dhcp_duid,
    &sysprep_dhcp_server_state,
    &sysprep_docker_id,
    &sysprep_dovecot_data,
    &sysprep_dropbear_hostkeys,
    &sysprep_firewall_rules,
    &sysprep_flag_reconfiguration,
    &sysprep_gitlab_runner_id,
    &sysprep_google_guest_agent,
    &sysprep_hostname,
    &sysprep_icinga2_certs,
    &sysprep_insights_client,
    &sysprep_ipa_client,
    &sysprep_iscsi_initiator,
    &sysprep_journal,
    &sysprep_kerberos_data,
    &sysprep_kerberos_hostkeytab,
    &sysprep_kubernetes_node,
    &sysprep_logfiles,
    &sysprep_lvm_system_devices,
    &sysprep_mail_spool,
    &sysprep_mysql_server_uuid,
    &sysprep_net_hostname,
    &sysprep_net_hwaddr,
    &sysprep_net_nmconn,
    &sysprep_nvme_hostid,
    &sysprep_openvswitch_system_id,
    &sysprep_pacct_log,
    &sysprep_package_manager_cache,
    &sysprep_pam_data,
    &sysprep_passwd_backups,
    &sysprep_postfix_hostname,
    &sysprep_puppet_data_log,
    &sysprep_puppet_ssl,
    &sysprep_rh_subscription_manager,
    &sysprep_rhn_systemid,
    &sysprep_rpm_db,
    &sysprep_salt_minion,
    &sysprep_samba_db_log,
    &sysprep_script,
    &sysprep_smolt_uuid,
    &sysprep_snapd_state,
    &sysprep_snmpd_engine_id,
    &sysprep_ssh_hostkeys,
    &sysprep_ssh_userdir,
    &sysprep_sssd_db_log,
    &sysprep_swap_header,
    &sysprep_systemd_credentials,
    &sysprep_tailscale_state,
    &sysprep_tmp_files,
    &sysprep_tpm2_srk,
    &sysprep_udev_persistent_net,
    &sysprep_user_account,
    &sysprep_utmp,
    &sysprep_waagent_state,
    &sysprep_yum_uuid,
    &sysprep_zabbix_agent,
    &sysprep_zerotier_identity,
    &sysprep_zfs_hostid,
    &sysprep_zsh_history,
    /* The user's own changes come after everything of the old machine was removed, ... */
    &sysprep_customize,
    /* ... and what they may have created again is removed. */
    &sysprep_machine_id,
    &sysprep_random_seed,
    /* Below the files. */
    &sysprep_fs_uuids,
    &sysprep_lvm_uuids,
    &sysprep_zero_free,
};
const size_t sysprep_operation_count = ARRAY_SIZE(sysprep_operations);

const struct sysprep_operation *sysprep_operation_find(const char *name)
{
    for (size_t i = 0; i < sysprep_operation_count; i++)
        if (strcmp(sysprep_operations[i]->name, name) == 0)
            return sysprep_operations[i];
    return NULL;
}

static int check_guest(const struct guest_info *info, struct error **err)
{
    const char *type = info->type ? info->type : "unknown";
    if (strcmp(type, "linux") == 0)
        return 0;
    if (strcmp(type, "windows") != 0)
        return error_set(err, EOPNOTSUPP, "only Linux guests can be prepared; this one is %s",
                         type);
    error_set(err, EOPNOTSUPP,
              "a Windows guest cannot be prepared from outside: its identity (the "
              "SID) is changed by Windows itself");
    return error_hint(err, "boot it, run C:\\Windows\\System32\\Sysprep\\sysprep.exe /generalize "
                           "/oobe /shutdown in it, and make clones of the disk as it is then");
}

static int perform(const struct sysprep_operation *operation, struct sysprep_context *context,
                   struct error **err)
{
    int r = sysprep_remove(context->customize->guest, &operation->removes, NULL, err);
    return r == 0 && operation->perform ? operation->perform(context, err) : r;
}

static int finish(const struct sysprep_operation *operation, struct sysprep_context *context,
                  struct error **err)
{
    return operation->finish ? operation->finish(context, err) : 0;
}

struct run {
    const struct sysprep_selection *selection;
    struct sysprep_context *context;
    struct strv *ran; /* NULL: they are in it already */
};

typedef int step_fn(const struct sysprep_operation *operation, struct sysprep_context *context,
                    struct error **err);

/* One step of every chosen operation of that kind. */
static int run_all(const struct run *run, bool on_devices, step_fn *step, struct error **err)
{
    struct customize_context *customize = run->context->customize;
    for (size_t i = 0; i < sysprep_operation_count; i++) {
        const struct sysprep_operation *operation = sysprep_operations[i];
        if (!run->selection->chosen[i] || operation->on_devices != on_devices ||
            (operation->applies && !operation->applies(customize->info)))
            continue;
        if (run->ran)
            report(customize->reporter, REPORT_INFO, "Performing %s", operation->name);
        int r = step(operation, run->context, err);
        if (r < 0) {
            error_wrap(err, "%s", operation->name);
            return r;
        }
        r = run->ran ? strv_add(run->ran, operation->name, err) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

int sysprep_run(const struct sysprep_selection *selection, struct sysprep_context *context,
                struct strv *ran, struct error **err)
{
    const struct run performing = {selection, context, ran};
    const struct run finishing = {selection, context, NULL};
    int r = check_guest(context->customize->info, err);
    if (r == 0)
        r = sysprep_selection_check(selection, context->settings, err);
    if (r == 0)
        r = run_all(&performing, false, perform, err);
    if (r == 0)
        r = run_all(&finishing, false, finish, err);
    return r < 0 ? r : run_all(&performing, true, perform, err);
}
