/**
 * The arrows between rooms (docs/ARCHITECTURE.md): a room imports only from rooms above it in this list.
 * Import cycles are Biome's to find (noImportCycles), dead files knip's.
 */
const rooms = [
  ['sim', '^src/sim/'],
  ['raft', '^src/raft/'],
  ['model', '^src/model/'],
  ['faults', '^src/faults/'],
  ['properties', '^src/properties/'],
  ['serve', '^src/serve/'],
  ['harness', '^src/harness/'],
  ['report', '^src/report/'],
  ['cli', '^src/cli/'],
];
const test = '[.](test|fixture)[.]ts$';

const arrows = rooms.slice(0, -1).map(([name, path], i) => ({
  name: `${name}-imports-only-from-above`,
  severity: 'error',
  comment: `src/${name} must not know the rooms below it`,
  from: { path, pathNot: test },
  to: { path: rooms.slice(i + 1).map(([, p]) => p) },
}));

module.exports = {
  forbidden: [
    ...arrows,
    { name: 'raft-imports-nothing', severity: 'error', from: { path: '^src/raft/', pathNot: test }, to: { pathNot: '^src/raft/' } },
    {
      name: 'faults-and-properties-apart',
      severity: 'error',
      from: { path: '^src/properties/', pathNot: test },
      to: { path: '^src/faults/' },
    },
    {
      name: 'properties-read-facts-only',
      severity: 'error',
      comment: 'a property that reaches into a program judges an implementation, not what happened',
      from: { path: '^src/properties/', pathNot: test },
      to: { path: '^src/model/', pathNot: '^src/model/(facts|defects)[.]ts$' },
    },
    {
      name: 'simulation-is-pure',
      severity: 'error',
      comment: 'no files, no network, no clock: what simulates must not touch the real world',
      from: { path: '^src/(sim|raft|model|faults|properties)/', pathNot: test },
      to: { dependencyTypes: ['core'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^src/report/viewer/' },
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.json'] },
    moduleSystems: ['es6'],
    parser: 'swc',
  },
};
