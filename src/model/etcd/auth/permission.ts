/** authpb.Permission: what a role may do on a key or a range of keys. */
export interface Permission {
  readonly permType: 'READ' | 'WRITE' | 'READWRITE';
  readonly key: string;
  readonly rangeEnd: string;
}
