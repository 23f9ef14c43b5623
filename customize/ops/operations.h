/* The rows of the table in operation.c, each defined in the file of its name. */
#pragma once

#include "customize/operation.h"

extern const struct customize_operation append_line_operation;
extern const struct customize_operation chmod_operation;
extern const struct customize_operation chown_operation;
extern const struct customize_operation commands_from_file_operation;
extern const struct customize_operation copy_in_operation;
extern const struct customize_operation copy_operation;
extern const struct customize_operation delete_operation;
extern const struct customize_operation edit_operation;
extern const struct customize_operation firstboot_command_operation;
extern const struct customize_operation firstboot_install_operation;
extern const struct customize_operation firstboot_operation;
extern const struct customize_operation hostname_operation;
extern const struct customize_operation inject_blnsvr_operation;
extern const struct customize_operation inject_qemu_ga_operation;
extern const struct customize_operation inject_virtio_win_operation;
extern const struct customize_operation install_operation;
extern const struct customize_operation link_operation;
extern const struct customize_operation mkdir_operation;
extern const struct customize_operation move_operation;
extern const struct customize_operation no_logfile_operation;
extern const struct customize_operation no_selinux_relabel_operation;
extern const struct customize_operation password_crypto_operation;
extern const struct customize_operation password_operation;
extern const struct customize_operation root_password_operation;
extern const struct customize_operation run_command_operation;
extern const struct customize_operation run_operation;
extern const struct customize_operation scrub_operation;
extern const struct customize_operation selinux_relabel_at_boot_operation;
extern const struct customize_operation selinux_relabel_exclude_operation;
extern const struct customize_operation selinux_relabel_operation;
extern const struct customize_operation sm_attach_operation;
extern const struct customize_operation sm_credentials_operation;
extern const struct customize_operation sm_register_operation;
extern const struct customize_operation sm_remove_operation;
extern const struct customize_operation sm_unregister_operation;
extern const struct customize_operation ssh_inject_operation;
extern const struct customize_operation tar_in_operation;
extern const struct customize_operation timezone_operation;
extern const struct customize_operation touch_operation;
extern const struct customize_operation truncate_operation;
extern const struct customize_operation truncate_recursive_operation;
extern const struct customize_operation uninstall_operation;
extern const struct customize_operation update_operation;
extern const struct customize_operation upload_operation;
extern const struct customize_operation write_operation;
