/** Plan of addresses: nodes in 192.168.0.0/16, pods in 10.244.0.0/16 (more than 256 nodes: below 10.96.0.0), services in 10.96.0.0/12. */

/** Internal IP of the node with that number, counted over the whole cluster. */
export function nodeAddress(index: number): string {
  const n = index + 10;
  return `192.168.${n >> 8}.${n & 255}`;
}

/** Addresses of the pods of the node with that number. */
export function podCidr(index: number): string {
  return index < 256 ? `10.244.${index}.0/24` : `10.${index >> 8}.${index & 255}.0/24`;
}

/** Where clients inside of the cluster find the API server of that number: beside the nodes, which may run on the same hosts. */
export function controlPlaneAddress(index: number): string {
  return `192.168.0.${index + 1}`;
}
