#include "sysprep/operations.h"

/* https://www.elastic.co/docs/reference/beats/filebeat/directory-layout; libbeat's loadMeta() */
const struct sysprep_operation sysprep_beats_uuid = {
    .name = "beats-uuid",
    .help = "remove the identities of Elastic's Beats",
    .manual =
        "Remove meta.json of Filebeat, Metricbeat and the other Beats from their directories in "
        "/var/lib. It holds the UUID under which the machine's events are kept; a Beat without "
        "one makes it when it starts. What was sent already stays known.",
    .by_default = true,
    .removes = {.files = PATHS("/var/lib/*beat/meta.json")},
};
