/** What a trial file holds, as a JSON schema (draft 2020-12); docs/trial.schema.json is written from it. Format version 1. */

import { ETCD_VARIANTS } from '../model/etcd/server/config.ts';

const ms = { type: 'integer', minimum: 0, maximum: 604_800_000, title: 'milliseconds, a whole number from 0 to 7 days' } as const;
const text = { type: 'string' } as const;
const count = { type: 'integer', minimum: 0 } as const;

const planned = {
  type: 'object',
  required: ['id', 'atMs', 'forMs', 'params'],
  additionalProperties: false,
  properties: {
    id: text,
    atMs: ms,
    forMs: { type: ['integer', 'null'], minimum: 0, maximum: 604_800_000, title: 'milliseconds, or null: until the general healing' },
    params: { type: 'object', required: ['kind'], properties: { kind: text } },
  },
} as const;

export const TRIAL_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'seatrial trial file, format version 1',
  type: 'object',
  required: ['formatVersion', 'id', 'expect', 'input'],
  additionalProperties: false,
  properties: {
    formatVersion: { const: 1 },
    id: { type: 'string', pattern: '^[a-z0-9-]+$', title: 'an id such as t-7f3a' },
    expect: {
      type: 'object',
      required: ['status', 'signature', 'digest', 'checkpoints'],
      additionalProperties: false,
      properties: {
        status: { enum: ['passed', 'violated', 'inconclusive'] },
        signature: {
          oneOf: [
            { type: 'null' },
            { type: 'object', required: ['property', 'clause'], additionalProperties: false, properties: { property: text, clause: text } },
          ],
        },
        digest: { type: 'string', pattern: '^[0-9a-f]{16}$', title: '16 hexadecimal digits in quotes' },
        checkpoints: {
          type: 'array',
          items: {
            type: 'object',
            required: ['atUs', 'events', 'digest'],
            additionalProperties: false,
            properties: { atUs: count, events: count, digest: text },
          },
        },
      },
    },
    shrunk: {
      type: 'object',
      required: ['faultsBefore', 'attempts'],
      additionalProperties: false,
      properties: { faultsBefore: count, attempts: count },
    },
    input: {
      type: 'object',
      additionalProperties: false,
      required: [
        'formatVersion',
        'scenario',
        'seed',
        'versions',
        'cluster',
        'featureGates',
        'defects',
        'manifests',
        'workload',
        'swarm',
        'timing',
        'faults',
        'operations',
        'core',
        'require',
      ],
      properties: {
        formatVersion: { const: 1 },
        scenario: text,
        seed: text,
        versions: {
          type: 'object',
          required: ['seatrial', 'kubernetes', 'etcd'],
          additionalProperties: false,
          properties: { seatrial: text, kubernetes: text, etcd: text },
        },
        cluster: {
          type: 'object',
          required: ['preset', 'kubernetes', 'controlPlanes', 'workers', 'zones'],
          additionalProperties: false,
          properties: {
            preset: text,
            kubernetes: { type: 'boolean' },
            controlPlanes: { type: 'integer', minimum: 1, maximum: 9 },
            workers: { type: 'integer', minimum: 0, maximum: 5000 },
            zones: { type: 'integer', minimum: 1, maximum: 9 },
            etcd: { enum: ['stacked', 'external'] },
            etcdMembers: { type: 'integer', minimum: 1, maximum: 9 },
            runtime: { enum: ['containerd', 'cri-o', 'gvisor', 'kata'] },
            pools: {
              type: 'array',
              items: {
                type: 'object',
                required: ['workers'],
                additionalProperties: false,
                properties: {
                  workers: { type: 'integer', minimum: 1, maximum: 5000 },
                  max: { type: 'integer', minimum: 1, maximum: 5000 },
                  os: { enum: ['linux', 'windows'] },
                  runtime: { enum: ['containerd', 'cri-o', 'gvisor', 'kata'] },
                  cpuMilli: { type: 'integer', minimum: 1 },
                  memoryBytes: { type: 'integer', minimum: 1 },
                  pods: { type: 'integer', minimum: 1 },
                  labels: { type: 'object', additionalProperties: text },
                  taints: {
                    type: 'array',
                    items: {
                      type: 'object',
                      required: ['key', 'effect'],
                      additionalProperties: false,
                      properties: { key: text, value: text, effect: { enum: ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] } },
                    },
                  },
                },
              },
            },
            cloud: { type: 'boolean' },
            metricsServer: { type: 'boolean' },
            etcdAppendBytesMax: { type: 'integer', minimum: 1 },
            etcdSnapshotCount: { type: 'integer', minimum: 1 },
            etcdCompactionBatch: { type: 'integer', minimum: 1 },
            etcdSpares: { type: 'integer', minimum: 0, maximum: 8 },
            etcdVariants: { type: 'array', items: { enum: ETCD_VARIANTS } },
          },
        },
        featureGates: { type: 'object', additionalProperties: { type: 'boolean' } },
        defects: { type: 'array', items: text },
        manifests: {
          type: 'array',
          items: {
            type: 'object',
            required: ['source', 'object'],
            additionalProperties: false,
            properties: {
              source: text,
              object: {
                type: 'object',
                required: ['apiVersion', 'kind', 'metadata'],
                properties: { apiVersion: text, kind: text, metadata: { type: 'object' } },
              },
            },
          },
        },
        workload: {
          type: 'object',
          required: ['traffic', 'store'],
          additionalProperties: false,
          properties: {
            traffic: {
              type: 'array',
              items: {
                type: 'object',
                required: ['to', 'port', 'perSecond', 'timeoutMs'],
                additionalProperties: false,
                properties: { to: text, port: count, perSecond: { type: 'number', exclusiveMinimum: 0, maximum: 10_000 }, timeoutMs: ms },
              },
            },
            configs: {
              type: 'object',
              required: ['namespace', 'writers', 'watchers', 'perSecond'],
              additionalProperties: false,
              properties: {
                namespace: text,
                writers: count,
                watchers: count,
                perSecond: { type: 'number', exclusiveMinimum: 0, maximum: 10_000 },
              },
            },
            store: {
              oneOf: [
                { type: 'null' },
                {
                  type: 'object',
                  required: ['clients', 'keys', 'perSecond', 'watches'],
                  additionalProperties: false,
                  properties: {
                    clients: count,
                    keys: count,
                    perSecond: { type: 'number', exclusiveMinimum: 0, maximum: 10_000 },
                    watches: count,
                    rewatch: { type: 'boolean' },
                    oldReads: { type: 'boolean' },
                    logIn: { type: 'boolean' },
                    readers: count,
                    clientsAt: { type: 'array', items: text },
                    readersAt: { type: 'array', items: text },
                    locks: count,
                    leases: count,
                  },
                },
              ],
            },
          },
        },
        swarm: {
          type: 'object',
          required: ['tiePolicy'],
          additionalProperties: false,
          properties: {
            tiePolicy: {
              oneOf: [
                { type: 'object', required: ['kind'], additionalProperties: false, properties: { kind: { const: 'fifo' } } },
                {
                  type: 'object',
                  required: ['kind', 'jitterUs'],
                  additionalProperties: false,
                  properties: { kind: { const: 'jitter' }, jitterUs: count },
                },
                {
                  type: 'object',
                  required: ['kind', 'jitterUs', 'changeOneIn'],
                  additionalProperties: false,
                  properties: { kind: { const: 'pct' }, jitterUs: count, changeOneIn: { type: 'integer', minimum: 1 } },
                },
              ],
            },
          },
        },
        timing: {
          type: 'object',
          required: ['applyAtMs', 'chaosFromMs', 'healAtMs', 'settleMs'],
          additionalProperties: false,
          properties: { applyAtMs: ms, chaosFromMs: ms, healAtMs: ms, settleMs: ms },
        },
        faults: { type: 'array', items: planned },
        operations: { type: 'array', items: planned },
        core: {
          type: 'object',
          required: ['outside'],
          additionalProperties: false,
          properties: { outside: { type: 'array', items: text } },
        },
        require: { type: 'array', items: text },
      },
    },
  },
} as const;
