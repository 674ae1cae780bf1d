import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');

/** A tree that keeps every rule; the planted files below each break one. */
const clean = {
  'package.json': JSON.stringify({
    dependencies: { kysely: '*', zod: '*' },
    devDependencies: { emulate: '*' },
  }),
  'src/errors.ts': 'export class Problem extends Error {}',
  'src/config/config.ts': "import { Problem } from '../errors.ts'; export const config = Problem;",
  'src/db/schema.ts':
    "import type { Generated } from 'kysely'; export interface Row { id: Generated<number> }",
  'src/db/database.ts': "import { Kysely } from 'kysely'; export const kysely = Kysely;",
  'src/sources/ports.ts': "import { config } from '../config/config.ts'; export const ports = config;",
  'src/detection/errors.ts': 'export const rate = 1;',
  'src/incident/incident.ts': "import type { Row } from '../db/schema.ts'; export type Incident = Row;",
  'src/incident/incident-store.ts':
    "import { kysely } from '../db/database.ts'; export const store = kysely;",
  'src/evidence/diff.ts': "import { createHash } from 'node:crypto'; export const hash = createHash;",
  'src/evidence/ring.ts': "import { hash } from './diff.ts'; export const ring = hash;",
  'src/decision/walk.ts':
    "import type { store } from '../incident/incident-store.ts'; export type S = typeof store;",
  'src/decision/playbook.ts': "import { readFileSync } from 'node:fs'; export const read = readFileSync;",
  'src/mitigation/targets/webhook.ts': "import { request } from 'undici'; export const call = request;",
  'src/postmortem/document.ts': "import { hash } from '../evidence/diff.ts'; export const document = hash;",
  'src/flow/open-room.ts':
    "import { store } from '../incident/incident-store.ts'; export const openRoom = store;",
  'src/slack/listeners.ts':
    "import { openRoom } from '../flow/open-room.ts'; export const listen = openRoom;",
  'src/pagerduty/client.ts': "import { openRoom } from '../flow/open-room.ts'; export const page = openRoom;",
  'src/http/health.ts': "import { ports } from '../sources/ports.ts'; export const health = ports;",
  'src/main.ts': "import { listen } from './slack/listeners.ts'; export const start = listen;",
  'src/cli.ts': "import { start } from './main.ts'; start;",
  'src/demo/demo.ts':
    "import { start } from '../main.ts'; import { createEmulator } from 'emulate'; start; createEmulator;",
  'src/incident/incident.test.ts': "import { start } from '../main.ts'; start;",
  'migrations/0001-jobs.ts': "import type { Kysely } from 'kysely'; export type Db = Kysely<unknown>;",
};

/** Every way to break the ranks: the file, what it holds, and the rule that must name it. */
const planted: [file: string, content: string, rule: string][] = [
  ['src/retry.ts', "import { ports } from './sources/ports.ts'; ports;", 'root-imports-no-folder'],
  ['src/log.ts', "import type { Row } from './db/schema.ts'; export type R = Row;", 'root-imports-no-folder'],
  ['src/config/up.ts', "import '../db/database.ts';", 'config-imports-root-only'],
  ['src/db/up.ts', "import '../sources/ports.ts';", 'rank-1-never-upwards'],
  ['src/sources/up.ts', "import '../detection/errors.ts';", 'rank-3-never-upwards'],
  ['src/detection/up.ts', "import '../incident/incident.ts';", 'rank-4-never-upwards'],
  ['src/incident/up.ts', "import '../evidence/diff.ts';", 'rank-5-never-upwards'],
  ['src/evidence/up.ts', "import '../decision/playbook.ts';", 'rank-6-never-upwards'],
  ['src/decision/up.ts', "import '../mitigation/targets/webhook.ts';", 'rank-7-never-upwards'],
  ['src/mitigation/up.ts', "import '../postmortem/document.ts';", 'rank-8-never-upwards'],
  ['src/postmortem/up.ts', "import '../flow/open-room.ts';", 'rank-9-never-upwards'],
  ['src/flow/up.ts', "import '../slack/listeners.ts';", 'rank-10-never-upwards'],
  ['src/http/up.ts', "import '../demo/demo.ts';", 'rank-11-never-upwards'],
  [
    'src/flow/type.ts',
    "import type { listen } from '../slack/listeners.ts'; export type L = typeof listen;",
    'rank-10-never-upwards',
  ],
  [
    'src/flow/inline.ts',
    "import { type page } from '../pagerduty/client.ts'; export type P = typeof page;",
    'rank-10-never-upwards',
  ],
  ['src/flow/again.ts', "export { listen } from '../slack/listeners.ts';", 'rank-10-never-upwards'],
  ['src/flow/lazy.ts', "export const lazy = () => import('../slack/listeners.ts');", 'rank-10-never-upwards'],
  ['src/slack/edge.ts', "import '../pagerduty/client.ts';", 'slack-pagerduty-http-never-each-other'],
  [
    'src/pagerduty/edge.ts',
    "import type { health } from '../http/health.ts'; export type H = typeof health;",
    'slack-pagerduty-http-never-each-other',
  ],
  ['src/http/edge.ts', "import '../slack/listeners.ts';", 'slack-pagerduty-http-never-each-other'],
  ['src/slack/main.ts', "import '../main.ts';", 'main-is-imported-by-cli-demo-and-tests'],
  ['src/demo/cli.ts', "import '../cli.ts';", 'cli-is-imported-by-nobody'],
  ['src/detection/sql.ts', "import { sql } from 'kysely'; sql;", 'pure-does-no-io'],
  [
    'src/incident/types.ts',
    "import type { Kysely } from 'kysely'; export type K = Kysely<unknown>;",
    'pure-does-no-io',
  ],
  ['src/evidence/file.ts', "import { readFileSync } from 'node:fs'; readFileSync;", 'pure-does-no-io'],
  ['src/decision/http.ts', "import { request } from 'node:http'; request;", 'pure-does-no-io'],
  ['src/mitigation/call.ts', "import { request } from 'undici'; request;", 'pure-does-no-io'],
  ['src/postmortem/pg.ts', "import pg from 'pg'; pg;", 'pure-does-no-io'],
  ['src/postmortem/promises.ts', "import { readFile } from 'node:fs/promises'; readFile;", 'pure-does-no-io'],
  ['src/incident/store.ts', "import { store } from './incident-store.ts'; store;", 'pure-imports-no-store'],
  ['src/incident/db.ts', "import { kysely } from '../db/database.ts'; kysely;", 'pure-imports-no-store'],
  [
    'migrations/0002-src.ts',
    "import type { Row } from '../src/db/schema.ts'; export type R = Row;",
    'migrations-import-nothing-of-src',
  ],
  ['src/flow/test.ts', "import '../incident/incident.test.ts';", 'src-imports-no-tests'],
  [
    'src/slack/dev.ts',
    "import { createEmulator } from 'emulate'; createEmulator;",
    'shipped-code-needs-no-dev-package',
  ],
  ['src/flow/lost.ts', "import './nowhere.ts';", 'every-import-resolves'],
  [
    'src/evidence/diff.ts',
    "import type { ring } from './ring.ts'; export type R = typeof ring; export const hash = 1;",
    'no-cycles',
  ],
];

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'llm-incident-ranks-'));
  symlinkSync(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

function write(files: Record<string, string>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), `${content}\n`);
  }
}

/** Runs the lint as `npm run ranks` does. */
function lint(): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(ROOT, 'scripts/ranks.ts'), dir], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : 1, output: stderr + stdout });
    });
  });
}

describe('import ranks', () => {
  test('a-tree-that-keeps-the-ranks-passes', async () => {
    write(clean);
    const { code, output } = await lint();
    expect(output).toContain('0 problems');
    expect(code).toBe(0);
  });

  test('every-planted-violation-is-named-with-its-rule-and-nothing-else-is', async () => {
    write({ ...clean, ...Object.fromEntries(planted.map(([file, content]) => [file, content])) });
    const { code, output } = await lint();
    const found = [...output.matchAll(/^([\w-]+): (\S+) →/gm)].map(([, rule, file]) => `${file}: ${rule}`);
    expect([...new Set(found)].sort()).toEqual(planted.map(([file, , rule]) => `${file}: ${rule}`).sort());
    expect(code).toBe(1);
  });

  test('a-lint-that-reads-nothing-fails', async () => {
    write({ 'package.json': '{}', 'src/readme.md': '' });
    const { code, output } = await lint();
    expect(output).toContain('found no .ts file');
    expect(code).toBe(1);
  });

  test('a-folder-without-a-rank-fails', async () => {
    write({ ...clean, 'src/utils/things.ts': 'export const thing = 1;' });
    const { code, output } = await lint();
    expect(output).toContain('src/utils/: has no rank');
    expect(code).toBe(1);
  });

  test('a-file-that-the-lint-did-not-read-fails', async () => {
    write({ ...clean, 'src/flow/broken.ts': 'export const = ;' });
    const { code, output } = await lint();
    expect(output).toContain('src/flow/broken.ts');
    expect(code).toBe(1);
  });
});
