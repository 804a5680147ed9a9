import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadManifests } from './manifests.ts';
import { loadScenario } from './scenario-file.ts';
import { complaintsOf, temporaryFile } from './user-files.fixture.ts';

const complain = (text: string): readonly string[] => complaintsOf(temporaryFile('s.yaml', text), loadScenario);
const minimal = 'name: x\ncluster: store\n';

describe('a good scenario', () => {
  it('needs a name and a cluster, and has defaults for the rest', () => {
    expect(loadScenario(temporaryFile('s.yaml', minimal))).toMatchObject({
      name: 'x',
      cluster: { preset: 'store', kubernetes: false, controlPlanes: 3 },
      faults: { count: { min: 0, max: 0 }, kinds: [], lastsMs: { min: 1000, max: 30_000 }, always: [] },
      chaosFromMs: 5000,
      settleMs: 180_000,
      store: null,
    });
  });

  it('resolves units, ranges, changed presets and paths', () => {
    const file = temporaryFile(
      's.yaml',
      [
        'name: x',
        'cluster: {preset: ha, workers: 5}',
        'apply: [web.yaml]',
        'traffic: [{to: shop/web, rate: 2.5/s, timeout: 250ms}]',
        'store: {rate: 20/s}',
        'chaos: {from: 1m, for: 1.5s..2h}',
        'faults: {count: 1..4, last: 10s}',
        'operations: [{at: 1m..90s, kind: scale, deployment: shop/web, replicas: 3}]',
      ].join('\n'),
    );
    const scenario = loadScenario(file);
    expect(scenario).toMatchObject({
      cluster: { preset: 'ha', controlPlanes: 3, workers: 5 },
      apply: [file.replace('s.yaml', 'web.yaml')],
      traffic: [{ to: 'shop/web', port: 80, perSecond: 2.5, timeoutMs: 250 }],
      store: { clients: 3, perSecond: 20 },
      chaosFromMs: 60_000,
      chaosMs: { min: 1500, max: 7_200_000 },
      faults: { count: { min: 1, max: 4 }, lastsMs: { min: 10_000, max: 10_000 } },
      operations: [{ atMs: { min: 60_000, max: 90_000 }, lastsMs: null, params: { kind: 'scale', deployment: 'shop/web', replicas: 3 } }],
    });
  });
});

describe('a bad scenario: where, what, and what would be right', () => {
  it.each([
    ['an unknown key', `${minimal}fault: {}\n`, /^s\.yaml:3:1: unknown key fault; did you mean faults\? Known keys: name, /],
    ['an unknown key inside', `${minimal}chaos: {fro: 5s}\n`, /^s\.yaml:3:9: unknown key fro; did you mean from\?/],
    ['a missing key', 'name: x\n', /^s\.yaml:1:1: the file has no cluster; add the key cluster$/],
    ['no unit', `${minimal}settle: 30\n`, /^s\.yaml:3:9: settle is 30; must be a duration such as 250ms, 10s, 2m$/],
    ['a wrong unit', `${minimal}settle: 30min\n`, /^s\.yaml:3:9: settle is "30min"; must be a duration/],
    ['a negative time', `${minimal}settle: -30s\n`, /^s\.yaml:3:9: settle is "-30s"; must be a duration/],
    ['a range that runs backwards', `${minimal}chaos: {for: 20s..10s}\n`, /^s\.yaml:3:14: 20s\.\.10s runs backwards or is too long; /],
    ['a time without end', `${minimal}settle: 9999h\n`, /^s\.yaml:3:9: 9999h runs backwards or is too long; .*at most 7 days$/],
    ['a start without end', `${minimal}chaos: {from: 9999h}\n`, /^s\.yaml:3:15: 9999h /],
    ['a rate of nothing', `${minimal}store: {rate: 0/s}\n`, /^s\.yaml:3:15: store\.rate is 0\/s; must be above 0\/s and at most 10000\/s$/],
    [
      'a count that runs backwards',
      `${minimal}faults: {count: 5..2}\n`,
      /^s\.yaml:3:17: faults\.count is 5\.\.2; must be a number up to 1000, or a range/,
    ],
    ['a count without end', `${minimal}faults: {count: 100000000}\n`, /^s\.yaml:3:17: faults\.count is 100000000; /],
    ['a number out of range', 'name: x\ncluster: {preset: store, controlPlanes: 0}\n', /^s\.yaml:2:/],
    ['an unknown preset', 'name: x\ncluster: stroe\n', /^s\.yaml:2:10: unknown preset stroe; did you mean store\? Known: /],
    [
      'an unknown fault kind',
      `${minimal}faults: {kinds: [partitoin]}\n`,
      /^s\.yaml:3:18: unknown fault kind partitoin; did you mean partition\? Known: /,
    ],
    ['an unknown property', `${minimal}require: [durable-write]\n`, /unknown property durable-write; did you mean durable-writes\?/],
    ['an unknown defect', `${minimal}defects: [R22]\n`, /unknown defect R22; did you mean R2\?/],
    [
      'a name twice in a list',
      `${minimal}require: [quiescence, quiescence]\n`,
      /^s\.yaml:3:10: require names one thing twice; name each once$/,
    ],
    ['a duplicate key', `${minimal}name: y\n`, /^s\.yaml:3:1: Map keys must be unique$/],
    [
      'a bad name',
      'name: Not A Name\ncluster: store\n',
      /^s\.yaml:1:7: name is "Not A Name"; must be a name of lower-case letters, digits and dashes$/,
    ],
    ['YAML that does not parse', 'name: [x\ncluster: store\n', /^s\.yaml:\d+:\d+: /],
    ['a list for a file', '- 1\n', /^s\.yaml:1:1: the file is a list; must be a mapping$/],
    ['__proto__', `${minimal}__proto__: {a: 1}\n`, /^s\.yaml:3:1: the key __proto__ is not allowed; remove it$/],
    ['constructor', `${minimal}store: {constructor: {}}\n`, /^s\.yaml:3:9: the key constructor is not allowed; remove it$/],
    ['several documents', `${minimal}---\n${minimal}`, /^s\.yaml: the file holds 2 YAML documents; a scenario is one document$/],
    ['an empty file', '', /^s\.yaml: the file is empty; a scenario needs at least name and cluster$/],
    ['only a comment', '# nothing\n', /^s\.yaml: the file is empty; /],
  ])('%s', (_what, text, complaint) => {
    expect(complain(text)).toEqual([expect.stringMatching(complaint)]);
  });

  it.each([
    [
      'a host that is not there',
      '{at: 6s, kind: crash-host, host: cp-9}',
      /:3:\d+: host is "cp-9"; did you mean cp-0\? It must be one of cp-0, cp-1, cp-2$/,
    ],
    [
      'hosts that are not there',
      '{at: 6s, kind: partition, hosts: [cp-0, nope], oneWay: false}',
      /hosts is \["cp-0","nope"\]; must be a list of at least 1/,
    ],
    ['a missing parameter', '{at: 6s, kind: partition, hosts: [cp-0]}', /partition has no oneWay; add oneWay: true or false$/],
    ['a parameter of another kind', '{at: 6s, kind: crash-host, host: cp-0, ratePpm: 3}', /unknown key ratePpm; crash-host takes: host$/],
    [
      'a number out of bounds',
      '{at: 6s, kind: disk-slow, host: cp-0, factor: 1}',
      /factor is 1; must be a whole number from 2 to 500 \(times\)$/,
    ],
    ['what the cluster has none of', '{at: 6s, kind: watch-stall, program: api-0, resource: ""}', /this cluster has none/],
    [
      'after the end of chaos',
      '{at: 10m, kind: crash-host, host: cp-0}',
      /:3:\d+: at lies 10m after the start, when chaos is over; chaos ends after 65s at the latest/,
    ],
  ])('a planned fault with %s', (_what, planned, complaint) => {
    expect(complain(`${minimal}faults: {always: [${planned}]}\n`)).toEqual([expect.stringMatching(complaint)]);
  });

  it('says everything that is wrong at once', () => {
    expect(complain('name: X\ncluster: store\nsettle: 3\nfoo: 1\n').length).toBe(3);
    expect(complain('name: x\ncluster: nope\ndefects: [Z9]\nrequire: [nope]\n').length).toBe(3);
  });

  it('an alias bomb is refused quickly', () => {
    const levels = Array.from(
      { length: 12 },
      (_, i) =>
        `l${i}: &l${i} [${
          i === 0
            ? 'x'
            : Array(9)
                .fill(`*l${i - 1}`)
                .join(', ')
        }]`,
    );
    const before = performance.now();
    expect(complain(`${minimal}${levels.join('\n')}\n`)).toEqual([
      expect.stringMatching(/^s\.yaml:\d+:\d+: .*alias.*; aliases may expand/i),
    ]);
    expect(performance.now() - before).toBeLessThan(5000);
  });

  it('nesting without end is refused, not a stack overflow', () => {
    expect(complain('['.repeat(50_000))).toEqual([expect.stringMatching(/^s\.yaml:\d+:\d+: the file nests too deeply; /)]);
    expect(complain(`${minimal}about: ${'{a: '.repeat(3000)}x${'}'.repeat(3000)}`)[0]).toMatch(/^s\.yaml:\d+:\d+: /);
  });

  it('a file that cannot be read', () => {
    expect(complaintsOf('/nowhere/s.yaml', loadScenario)).toEqual(['s.yaml: no such file']);
    const folder = mkdtempSync(`${tmpdir()}/seatrial-test-`);
    expect(complaintsOf(folder, loadScenario)).toEqual([expect.stringMatching(/: is a folder, not a file$/)]);
  });
});

describe('manifests', () => {
  it('come with file and line, lists taken apart, namespaces first', () => {
    const file = temporaryFile(
      'm.yaml',
      'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\n---\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Namespace, metadata: {name: n}}\n- {apiVersion: v1, kind: Secret, metadata: {name: s}}\n',
    );
    expect(loadManifests([file]).map((m) => [m.object.kind, m.source.slice(file.length)])).toEqual([
      ['Namespace', ':5'],
      ['Pod', ':1'],
      ['Secret', ':5'],
    ]);
  });

  it.each([
    ['no kind', 'apiVersion: v1\nmetadata: {name: x}\n', /^m\.yaml:1:1: kind is missing; for example kind: Deployment$/],
    ['no apiVersion', 'kind: Pod\n', /^m\.yaml:1:1: apiVersion is missing; /],
    ['no name', 'apiVersion: v1\nkind: Pod\n', /^m\.yaml:1:1: Pod without metadata\.name; give it a name$/],
    ['no object', '---\n---\njust text\n', /^m\.yaml:3:1: not a Kubernetes object; /],
  ])('%s', (_what, text, complaint) => {
    expect(complaintsOf(temporaryFile('m.yaml', text), (f) => loadManifests([f]))).toEqual([expect.stringMatching(complaint)]);
  });
});

describe('our own scenarios', () => {
  const folder = fileURLToPath(new URL('../../scenarios/', import.meta.url));
  const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

  it('are many', () => expect(files.length).toBeGreaterThanOrEqual(8));

  it.each(files)('%s loads with its manifests and carries its file name', (name) => {
    const scenario = loadScenario(`${folder}${name}`);
    expect(scenario.name).toBe(name.replace('.yaml', ''));
    expect(scenario.about).not.toBe('');
    expect(loadManifests(scenario.apply).length).toBeGreaterThanOrEqual(scenario.apply.length);
  });
});
