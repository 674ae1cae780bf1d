/** The folders of src/ in the order in which the data flows; a folder imports its own rank or lower, never upwards. */
export const ranks = [
  ['db'],
  ['chart'],
  ['sources'],
  ['detection'],
  ['incident'],
  ['evidence'],
  ['decision'],
  ['mitigation'],
  ['postmortem'],
  ['flow'],
  ['slack', 'pagerduty', 'http'],
  ['demo'],
];

const STAGES = ranks.slice(3, 9).flat();
const TEST = '\\.test\\.ts$';
const COMPOSERS = '^src/(main|cli)\\.ts$';
/** Files in a pure stage that may do I/O: stores, adapters, and by name the readers of shipped data files. */
const IMPURE = ['-store\\.ts$', '/(targets|exporters)/', '^src/decision/playbook\\.ts$', TEST];
const IO_MODULES = 'fs|fs/promises|http|https|http2|net|tls|dgram|dns|child_process|worker_threads|sqlite';
const IO_PACKAGES = 'kysely|pg|undici|fastify|@electric-sql/pglite|@slack/[^/]+|@pagerduty/pdjs';

const oneOf = (folders) => `^src/(${folders.join('|')})/`;
const rule = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

const upwards = ranks
  .slice(0, -1)
  .map((rank, i) =>
    rule(
      `rank-${i + 1}-never-upwards`,
      `${rank.join(', ')}: imports of its own rank or lower only`,
      { path: oneOf(rank), pathNot: TEST },
      { path: oneOf(ranks.slice(i + 1).flat()) },
    ),
  );

const sideways = ranks
  .filter((rank) => rank.length > 1)
  .map((rank) =>
    rule(
      `${rank.join('-')}-never-each-other`,
      'edges know the flow, not one another',
      { path: oneOf(rank), pathNot: TEST },
      { path: oneOf(rank), pathNot: '^src/$1/' },
    ),
  );

export default {
  forbidden: [
    ...upwards,
    ...sideways,
    rule(
      'root-imports-no-folder',
      'root files are what everything rests on',
      { path: '^src/[^/]+\\.ts$', pathNot: [COMPOSERS, TEST] },
      { path: '^src/[^/]+/' },
    ),
    rule(
      'config-imports-root-only',
      'configuration is handed down, so it knows no stage',
      { path: '^src/config/', pathNot: TEST },
      { path: '^src/[^/]+/', pathNot: '^src/config/' },
    ),
    rule(
      'main-is-imported-by-cli-demo-and-tests',
      'the composition root is the top',
      { path: '^src/', pathNot: ['^src/cli\\.ts$', '^src/demo/', TEST] },
      { path: '^src/main\\.ts$' },
    ),
    rule(
      'cli-is-imported-by-nobody',
      'a command line is an entry, not a library',
      { path: '^src/', pathNot: TEST },
      { path: '^src/cli\\.ts$' },
    ),
    rule(
      'pure-does-no-io',
      '<noun>.ts is pure: SQL goes to <noun>-store.ts, the network to targets/, exporters/ or an edge',
      { path: oneOf(STAGES), pathNot: IMPURE },
      { path: [`^(node:)?(${IO_MODULES})$`, `(^|node_modules/)(${IO_PACKAGES})(/|$)`] },
    ),
    rule(
      'pure-imports-no-store',
      'pure files get rows as arguments; of stores they may know types, of db/ the table types',
      { path: oneOf(STAGES), pathNot: IMPURE },
      {
        path: ['^src/.+-store\\.ts$', '^src/db/'],
        pathNot: '^src/db/schema\\.ts$',
        dependencyTypesNot: ['type-only'],
      },
    ),
    rule(
      'migrations-import-nothing-of-src',
      'a migration keeps working when the code has moved on',
      { path: '^migrations/' },
      { path: '^(src|test|bench|scripts)/' },
    ),
    rule(
      'src-imports-no-tests',
      'tests, benchmarks and scripts stand outside',
      { path: '^src/', pathNot: TEST },
      { path: ['^(test|bench|scripts|migrations)/', TEST] },
    ),
    rule(
      'shipped-code-needs-no-dev-package',
      '`npm ci --omit=dev && npm start` must work; the demo may need more',
      { path: '^src/', pathNot: ['^src/demo/', TEST] },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    ),
    rule('no-cycles', 'type-only imports count', {}, { circular: true }),
    rule(
      'every-import-resolves',
      'an import that is not found cannot be ranked',
      {},
      { couldNotResolve: true },
    ),
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    skipAnalysisNotInRules: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.mjs', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      mainFields: ['module', 'main', 'types'],
    },
  },
};
