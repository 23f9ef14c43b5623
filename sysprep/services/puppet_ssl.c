#include "sysprep/operations.h"

/* https://www.puppet.com/docs/puppet/8/dirs_ssldir.html */
const struct sysprep_operation sysprep_puppet_ssl = {
    .name = "puppet-ssl",
    .help = "remove the certificate of the Puppet agent",
    .manual = "Remove the certificate, the keys and the certificate requests of this machine from "
              "/etc/puppetlabs/puppet/ssl and /etc/puppet/ssl, as puppet ssl clean does. The "
              "authority's certificate, and an authority of the machine's own, stay. See "
              "puppet-data-log for /var/lib/puppet.",
    .by_default = true,
    .removes = {.files = PATHS("/etc/{puppetlabs/,}puppet/ssl/"
                               "{certs,private_keys,public_keys,certificate_requests}/*"),
                .keep = PATHS("/etc/puppetlabs/puppet/ssl/certs/ca.pem",
                              "/etc/puppet/ssl/certs/ca.pem")},
};
