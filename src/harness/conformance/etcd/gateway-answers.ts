import type {
  EtcdRequest,
  EtcdResponse,
  KeyValue,
  Member,
  ResponseOp,
  ResponseTo,
  StatusResponse,
  TxnResponse,
  WatchResponse,
} from '../../../model/etcd/api.ts';

/** JSON as the gateway answers: fields with the zero value are absent, 64-bit numbers are strings. */
export type GatewayJson = { [field: string]: unknown };

/** What the gateway answers for a response. */
export function gatewayAnswer(request: EtcdRequest, response: EtcdResponse): GatewayJson {
  switch (request.type) {
    case 'range': {
      const range = response as ResponseTo<typeof request>;
      return present({ header: header(range.header), ...rangeFields(range) });
    }
    case 'put': {
      const { header: h, prevKv } = response as ResponseTo<typeof request>;
      return present({ header: header(h), prev_kv: optionalKv(prevKv) });
    }
    case 'deleteRange': {
      const { header: h, deleted, prevKvs } = response as ResponseTo<typeof request>;
      return present({ header: header(h), deleted: long(deleted), prev_kvs: prevKvs.map(kv) });
    }
    case 'txn':
      return txnAnswer(response as ResponseTo<typeof request>);
    case 'leaseGrant': {
      const { header: h, id, ttl } = response as ResponseTo<typeof request>;
      return present({ header: header(h), ID: long(id), TTL: long(ttl) });
    }
    case 'leaseKeepAlive': {
      const { header: h, id, ttl } = response as ResponseTo<typeof request>;
      return { result: present({ header: header(h), ID: long(id), TTL: long(ttl) }) };
    }
    case 'leaseTimeToLive': {
      const { header: h, id, ttl, grantedTtl, keys } = response as ResponseTo<typeof request>;
      return present({ header: header(h), ID: long(id), TTL: long(ttl), grantedTTL: long(grantedTtl), keys });
    }
    case 'leaseLeases': {
      const { header: h, leases } = response as ResponseTo<typeof request>;
      return present({ header: header(h), leases: leases.map(({ id }) => present({ ID: long(id) })) });
    }
    case 'memberList':
    case 'memberAdd':
    case 'memberRemove':
    case 'memberUpdate':
    case 'memberPromote': {
      const { header: h, member: added, members } = response as ResponseTo<typeof request>;
      return present({ header: header(h), member: added === undefined ? undefined : member(added), members: members.map(member) });
    }
    case 'alarm': {
      const { header: h, alarms } = response as ResponseTo<typeof request>;
      return present({
        header: header(h),
        alarms: alarms.map(({ memberId, alarm }) => present({ memberID: long(memberId), alarm: alarm === 'NONE' ? undefined : alarm })),
      });
    }
    case 'status':
      return statusAnswer(response as StatusResponse);
    case 'hash': {
      const { header: h, hash } = response as ResponseTo<typeof request>;
      return present({ header: header(h), hash });
    }
    case 'hashKv': {
      const { header: h, hash, compactRevision, hashRevision } = response as ResponseTo<typeof request>;
      return present({ header: header(h), hash, compact_revision: long(compactRevision), hash_revision: long(hashRevision) });
    }
    case 'defragment':
    case 'moveLeader':
      // These two services fill in no header.
      return {};
    case 'downgrade': {
      const { header: h, version } = response as ResponseTo<typeof request>;
      return present({ header: header(h), version });
    }
    case 'authStatus': {
      const { header: h, enabled, authRevision } = response as ResponseTo<typeof request>;
      return present({ header: header(h), enabled, authRevision: long(authRevision) });
    }
    case 'authenticate': {
      const { header: h, token } = response as ResponseTo<typeof request>;
      return present({ header: header(h), token });
    }
    case 'userGet':
    case 'roleList': {
      const { header: h, roles } = response as ResponseTo<typeof request>;
      return present({ header: header(h), roles });
    }
    case 'userList': {
      const { header: h, users } = response as ResponseTo<typeof request>;
      return present({ header: header(h), users });
    }
    case 'roleGet': {
      const { header: h, perm } = response as ResponseTo<typeof request>;
      const permissions = perm.map(({ permType, key, rangeEnd }) =>
        present({ permType: permType === 'READ' ? undefined : permType, key, range_end: rangeEnd }),
      );
      return present({ header: header(h), perm: permissions });
    }
    default:
      return present({ header: header(response.header) });
  }
}

/** One message of a watch as the gateway streams it (inside `result`). */
export function gatewayWatchMessage(response: WatchResponse): GatewayJson {
  return present({
    header: header(response.header),
    watch_id: long(response.watchId),
    created: response.created,
    canceled: response.canceled,
    compact_revision: long(response.compactRevision),
    cancel_reason: response.cancelReason,
    fragment: response.fragment,
    events: response.events.map((event) =>
      present({ type: event.type === 'PUT' ? undefined : event.type, kv: kv(event.kv), prev_kv: optionalKv(event.prevKv) }),
    ),
  });
}

function header(h: {
  readonly revision: number;
  readonly clusterId?: number;
  readonly memberId?: number;
  readonly raftTerm?: number;
}): GatewayJson {
  return present({
    cluster_id: long(h.clusterId ?? 0),
    member_id: long(h.memberId ?? 0),
    revision: long(h.revision),
    raft_term: long(h.raftTerm ?? 0),
  });
}

function rangeFields(range: { readonly kvs: readonly KeyValue[]; readonly more: boolean; readonly count: number }): GatewayJson {
  return { kvs: range.kvs.map(kv), more: range.more, count: long(range.count) };
}

function txnAnswer(txn: Pick<TxnResponse, 'succeeded' | 'responses'> & { readonly header: { readonly revision: number } }): GatewayJson {
  return present({ header: header(txn.header), succeeded: txn.succeeded, responses: txn.responses.map(opAnswer) });
}

function opAnswer(op: ResponseOp): GatewayJson {
  switch (op.type) {
    case 'range':
      return { response_range: present({ header: header(op.response.header), ...rangeFields(op.response) }) };
    case 'put':
      return { response_put: present({ header: header(op.response.header), prev_kv: optionalKv(op.response.prevKv) }) };
    case 'deleteRange': {
      const { deleted, prevKvs } = op.response;
      const fields = { header: header(op.response.header), deleted: long(deleted), prev_kvs: prevKvs.map(kv) };
      return { response_delete_range: present(fields) };
    }
    case 'txn':
      return { response_txn: txnAnswer(op.response) };
  }
}

function statusAnswer(status: StatusResponse): GatewayJson {
  return {
    ...present({
      header: header(status.header),
      version: status.version,
      dbSize: long(status.dbSize),
      leader: long(status.leader),
      raftIndex: long(status.raftIndex),
      raftTerm: long(status.raftTerm),
      raftAppliedIndex: long(status.raftAppliedIndex),
      errors: status.errors,
      dbSizeInUse: long(status.dbSizeInUse),
      isLearner: status.isLearner,
      storageVersion: status.storageVersion,
      dbSizeQuota: long(status.dbSizeQuota),
    }),
    downgradeInfo: {},
  };
}

function kv(row: KeyValue): GatewayJson {
  return present({
    key: row.key,
    create_revision: long(row.createRevision),
    mod_revision: long(row.modRevision),
    version: long(row.version),
    value: row.value,
    lease: long(row.lease),
  });
}

function optionalKv(row: KeyValue | undefined): GatewayJson | undefined {
  return row === undefined ? undefined : kv(row);
}

function member(m: Member): GatewayJson {
  return present({ ID: long(m.id), name: m.name, peerURLs: m.peerURLs, clientURLs: m.clientURLs, isLearner: m.isLearner });
}

function long(value: number | bigint): string | undefined {
  return value === 0 || value === 0n ? undefined : String(value);
}

/** Drops what protojson leaves out: zero values and empty lists. */
function present(fields: GatewayJson): GatewayJson {
  const kept: GatewayJson = {};
  for (const [name, value] of Object.entries(fields)) {
    const absent = value === undefined || value === '' || value === false || value === 0 || (Array.isArray(value) && value.length === 0);
    if (!absent) kept[name] = value;
  }
  return kept;
}
