#include "sysprep/operations.h"

/* https://kubernetes.io/docs/reference/setup-tools/kubeadm/kubeadm-reset/;
 * https://docs.k3s.io/architecture (node passwords) */
const struct sysprep_operation sysprep_kubernetes_node = {
    .name = "kubernetes-node",
    .help = "remove the membership in a Kubernetes cluster",
    .manual =
        "Remove what kubeadm reset removes: the certificates, manifests and configurations of the "
        "cluster's parts in /etc/kubernetes, and all in /var/lib/kubelet and /var/lib/etcd. For "
        "k3s and RKE2, remove the node's password, certificates and data from /etc/rancher/node "
        "and /var/lib/rancher. Not a default: on a server these are the data of the cluster.",
    .removes = {.trees = PATHS("/etc/kubernetes/{pki,manifests,tmp}", "/var/lib/kubelet/*",
                               "/var/lib/etcd/*", "/var/lib/rancher/{k3s,rke2}/{agent,server}/*"),
                .files = PATHS("/etc/kubernetes/*.conf", "/etc/rancher/node/password")},
};
