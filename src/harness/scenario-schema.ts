/**
 * What a scenario file may hold, as a JSON schema (draft 2020-12). docs/scenario.schema.json is written from it, so editors complete and
 * check scenarios as `seatrial` does. `title` of a string type is what an error message asks for.
 */

import { ETCD_VARIANTS } from '../model/etcd/server/config.ts';

const duration = { type: 'string', pattern: '^\\d+(\\.\\d+)?(ms|s|m|h)$', title: 'a duration such as 250ms, 10s, 2m' } as const;
const durationRange = {
  type: 'string',
  pattern: '^\\d+(\\.\\d+)?(ms|s|m|h)(\\.\\.\\d+(\\.\\d+)?(ms|s|m|h))?$',
  title: 'a duration or a range of them such as 10s or 10s..20s',
} as const;
const rate = { type: 'string', pattern: '^\\d+(\\.\\d+)?/s$', title: 'a rate such as 10/s' } as const;
const count = { type: 'integer', minimum: 0, maximum: 10_000 } as const;
const name = {
  type: 'string',
  pattern: '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$',
  maxLength: 63,
  title: 'a name of lower-case letters, digits and dashes',
} as const;
const namespaced = { type: 'string', pattern: '^[a-z0-9-]+/[a-z0-9.-]+$', title: 'namespace/name' } as const;

const planned = {
  type: 'object',
  required: ['at', 'kind'],
  properties: { at: durationRange, last: durationRange, kind: { type: 'string' } },
  additionalProperties: true,
} as const;

const runtime = {
  enum: ['containerd', 'cri-o', 'gvisor', 'kata', 'docker'],
  description: 'docker: refused, its shim left with 1.24.',
} as const;
const labels = { type: 'object', additionalProperties: { type: 'string' } } as const;

const pool = {
  type: 'object',
  required: ['workers'],
  additionalProperties: false,
  properties: {
    workers: { ...count, minimum: 1, maximum: 5000 },
    max: { ...count, minimum: 1, maximum: 5000, description: 'The cluster autoscaler runs up to so many for pods that find no place.' },
    os: { enum: ['linux', 'windows'] },
    runtime,
    cpu: { type: 'string', pattern: '^[0-9]+m?$', title: 'cores such as 4 or 500m' },
    memory: { type: 'string', pattern: '^[0-9]+(Mi|Gi)$', title: 'memory such as 8Gi' },
    pods: { ...count, minimum: 1, maximum: 500 },
    labels,
    taints: {
      type: 'array',
      items: {
        type: 'string',
        pattern: '^[A-Za-z0-9./_-]+(=[A-Za-z0-9._-]*)?:(NoSchedule|PreferNoSchedule|NoExecute)$',
        title: 'a taint as kubectl writes it, such as os=windows:NoSchedule',
      },
    },
  },
} as const;

export const SCENARIO_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'seatrial scenario',
  type: 'object',
  required: ['name', 'cluster'],
  additionalProperties: false,
  properties: {
    name,
    about: { type: 'string', description: 'What the scenario tries, for people.' },
    cluster: {
      description: 'A preset, or a preset with changes.',
      oneOf: [
        { type: 'string' },
        {
          type: 'object',
          required: ['preset'],
          additionalProperties: false,
          properties: {
            preset: { type: 'string' },
            controlPlanes: { ...count, minimum: 1, maximum: 9 },
            workers: { ...count, maximum: 5000 },
            zones: { ...count, minimum: 1, maximum: 9 },
            etcd: { enum: ['stacked', 'external'], description: 'external: members on hosts etcd-host-N of their own.' },
            etcdMembers: { ...count, minimum: 1, maximum: 9, description: 'Members of an external etcd.' },
            runtime,
            pools: { type: 'array', minItems: 1, maxItems: 20, items: pool, description: 'Workers of several sorts, instead of workers.' },
            cloud: {
              type: 'boolean',
              description: "The machines are a cloud's: its controller manager takes nodes out whose machine is gone.",
            },
            metricsServer: { type: 'boolean', description: 'A metrics-server answers for the usage of pods: autoscalers need it.' },
            etcdAppendBytesMax: {
              type: 'integer',
              minimum: 1,
              description: 'Bytes of entries in one append message of etcd; 1: each entry travels alone.',
            },
            etcdCompactionBatch: { type: 'integer', minimum: 1, description: 'Rows that an etcd member compacts at a time.' },
            etcdSpares: {
              type: 'integer',
              minimum: 0,
              maximum: 8,
              description: 'So many of the control planes, the last ones, hold no etcd member until an operation adds it.',
            },
            etcdVariants: {
              type: 'array',
              items: { enum: ETCD_VARIANTS },
              uniqueItems: true,
              description: 'Where the members differ from released etcd, for exhibits of bugs that it has not mended or cannot have.',
            },
            etcdSnapshotCount: {
              type: 'integer',
              minimum: 1,
              description: 'Entries after which an etcd member makes a snapshot; a tenth of it stays for members that lag behind.',
            },
          },
        },
      ],
    },
    featureGates: { type: 'object', additionalProperties: { type: 'boolean' } },
    defects: { type: 'array', items: { type: 'string' }, uniqueItems: true },
    apply: { type: 'array', items: { type: 'string' }, description: 'Manifest files or folders, relative to this file.' },
    traffic: {
      type: 'array',
      items: {
        type: 'object',
        required: ['to'],
        additionalProperties: false,
        properties: { to: namespaced, port: { type: 'integer', minimum: 1, maximum: 65_535 }, rate, timeout: duration },
      },
    },
    configs: {
      type: 'object',
      additionalProperties: false,
      description: 'Programs outside the cluster that write and watch ConfigMaps, each through an API server of its own.',
      properties: {
        namespace: { type: 'string', description: 'Default: default.' },
        writers: { ...count, maximum: 100 },
        watchers: { ...count, maximum: 100 },
        rate,
      },
    },
    store: {
      type: 'object',
      additionalProperties: false,
      description: 'Clients that read, write and watch etcd keys directly.',
      properties: {
        clients: { ...count, minimum: 1, maximum: 100 },
        keys: { ...count, minimum: 1, maximum: 1000 },
        rate,
        watches: { ...count, maximum: 100 },
        rewatch: { type: 'boolean', description: 'Watchers pause now and then and take their watch up again behind the last event.' },
        oldReads: { type: 'boolean', description: 'Some operations are transactions that read an old revision and write.' },
        clientsAt: {
          type: 'array',
          items: { type: 'string' },
          minItems: 1,
          description: 'Members that the clients stick to; else all of them.',
        },
        readersAt: {
          type: 'array',
          items: { type: 'string' },
          minItems: 1,
          description: 'Members that the readers stick to; else all of them.',
        },
        readers: { ...count, maximum: 100, description: 'Further clients that only read, linearizably and with little patience.' },
        logIn: { type: 'boolean', description: 'Clients log in once the store asks for it.' },
        leases: { ...count, maximum: 20, description: 'Further clients that keep a lease of their own alive, with a key on it.' },
        locks: { ...count, maximum: 20, description: 'Further clients that take one lock in turn, under leases.' },
      },
    },
    faults: {
      type: 'object',
      additionalProperties: false,
      properties: {
        count: { type: ['integer', 'string'], minimum: 0, pattern: '^\\d+(\\.\\.\\d+)?$', title: 'a number or a range such as 0..6' },
        kinds: { type: 'array', items: { type: 'string' }, uniqueItems: true },
        last: durationRange,
        always: { type: 'array', items: planned },
      },
    },
    operations: { type: 'array', items: planned },
    chaos: { type: 'object', additionalProperties: false, properties: { from: duration, for: durationRange } },
    settle: duration,
    outsideCore: {
      type: 'array',
      items: { type: 'string' },
      uniqueItems: true,
      description: 'Hosts that stay down or cut off after healing, in every trial.',
    },
    outsideCoreOneIn: { ...count, description: 'One trial in so many leaves a host down or cut off after healing; 0: none.' },
    require: { type: 'array', items: { type: 'string' }, uniqueItems: true },
  },
} as const;
