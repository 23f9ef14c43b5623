#include "sysprep/operations.h"

/* https://dev.mysql.com/doc/refman/8.4/en/replication-options.html, server_uuid */
const struct sysprep_operation sysprep_mysql_server_uuid = {
    .name = "mysql-server-uuid",
    .help = "remove the UUID of the MySQL server",
    .manual =
        "Remove auto.cnf from /var/lib/mysql. Servers of MySQL that share the UUID in it cannot "
        "replicate from one another; the server makes another when it starts. The databases stay.",
    .by_default = true,
    .removes = {.files = PATHS("/var/lib/mysql/auto.cnf")},
};
