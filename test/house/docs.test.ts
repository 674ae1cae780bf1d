import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { configKeys, parseConfigFile } from '../../src/config/config-file.ts';
import { ruleTable } from '../../src/detection/rule-reference.ts';
import { ruleReference } from '../../src/detection/rules.ts';
import { InputError } from '../../src/errors.ts';

const ROOT = join(import.meta.dirname, '../..');
const EXAMPLE = 'llm-incident.example.yaml';
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const foldersOf = (folder: string) =>
  readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);

/** Everything between single backquotes, outside of code blocks. */
function codeIn(markdown: string): string[] {
  return matchesIn(markdown.replace(/^```[\s\S]*?^```/gm, ''), /`([^`\n]+)`/g);
}

function matchesIn(text: string, pattern: RegExp): string[] {
  return [...new Set([...text.matchAll(pattern)].map(([, found = '']) => found))];
}

/** The code block, fenced or indented, that draws the tree: the one with a line that begins with `src/`. */
function mapIn(markdown: string): string {
  const blocks = markdown.match(/^```[\s\S]*?^```|(?:^(?: {4}.*)?\n)+/gm) ?? [];
  return blocks.find((block) => /^[\s│├└─]*src\/(?:\s|$)/m.test(block)) ?? '';
}

/** The text under the heading that names the configuration, up to the next heading of its rank. */
function configurationIn(markdown: string): string {
  const [, hashes = '#', rest = ''] = /^(#+) .*\bconfiguration\b.*$([\s\S]*)/im.exec(markdown) ?? [];
  return rest.split(new RegExp(`^#{1,${hashes.length}} `, 'm'))[0] ?? '';
}

const firstCells = (markdown: string) =>
  matchesIn(markdown, /^\|([^|]*)\|/gm).flatMap((cell) => matchesIn(cell, /`([^`]+)`/g));

describe('README.md', () => {
  test('every-folder-of-src-is-on-the-map', () => {
    const map = mapIn(read('README.md'));
    expect(foldersOf('src').filter((folder) => !new RegExp(`(^|\\s)${folder}/`, 'm').test(map))).toEqual([]);
  });

  test('every-folder-on-the-map-exists', () => {
    const named = matchesIn(mapIn(read('README.md')), /^[\s│├└─]*(?:\d+\s+)?([\w.-]+)\/(?=\s|$)/gm);
    expect(named).toContain('src');
    const nested = globSync('{src,test}/**/', { cwd: ROOT }).map((folder) => basename(folder));
    const existing = new Set([...foldersOf('.'), ...nested]);
    expect(named.filter((folder) => !existing.has(folder))).toEqual([]);
  });

  test('every-cited-path-exists', () => {
    const readme = read('README.md');
    const links = matchesIn(readme, /\]\((?!https?:|mailto:|#)([^)#\s]+)/g);
    const ours =
      /^(?:src|test|migrations|scripts|bench|docs|\.ci)\/[\w./*-]*$|^[\w.-]+\.(?:ya?ml|json|mjs|ts)$/;
    const made = new Set(['llm-incident.yaml', 'evals.yaml']);
    const cited = [...links, ...codeIn(readme).filter((code) => ours.test(code) && !made.has(code))];
    const exists = (path: string) => existsSync(join(ROOT, path)) || globSync(path, { cwd: ROOT }).length > 0;
    expect(cited.filter((path) => !exists(path))).toEqual([]);
  });

  test('the-rule-table-is-what-the-code-says', () => {
    const [, shown] = /<!-- rules -->\n([\s\S]*?)\n<!-- \/rules -->/.exec(read('README.md')) ?? [];
    expect(shown).toBe(ruleTable(ruleReference()));
  });

  test('every-npm-script-that-is-named-exists', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = matchesIn(read('README.md'), /npm run (?:--silent |-s )?([\w-]+)/g);
    expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
  });

  test('every-key-of-the-config-file-is-in-the-table', () => {
    const documented = firstCells(read('README.md'));
    const isThere = (key: string) => documented.some((cell) => cell === key || cell.startsWith(`${key}.`));
    expect(configKeys().filter((key) => !isThere(key))).toEqual([]);
  });

  test('every-key-in-the-configuration-table-exists', () => {
    const keys = new Set(configKeys());
    const cells = firstCells(configurationIn(read('README.md'))).filter((cell) => /^[a-z][\w.]*$/.test(cell));
    expect(cells.filter((cell) => !keys.has(cell))).toEqual([]);
  });

  test('every-environment-variable-that-is-read-is-in-a-table', () => {
    const documented = firstCells(read('README.md'));
    const checked = matchesIn(read('src/config/config.ts'), /^ {2,4}([A-Z][A-Z_]+):/gm);
    expect(checked).toContain('DATABASE_URL');
    expect(checked.filter((name) => !documented.includes(name))).toEqual([]);
  });
});

describe(EXAMPLE, () => {
  const secrets = () => matchesIn(read(EXAMPLE), /^[^#\n]*\$\{([A-Z0-9_]+)\}/gm);

  test('the-example-file-loads', () => {
    const env = Object.fromEntries(secrets().map((name) => [name, 'a-secret']));
    expect(Object.keys(parseConfigFile(read(EXAMPLE), env).services)).not.toEqual([]);
  });

  test('the-example-file-names-its-secrets-and-holds-none', () => {
    expect(secrets()).not.toEqual([]);
    expect(() => parseConfigFile(read(EXAMPLE), {})).toThrow(InputError);
    expect(() => parseConfigFile(read(EXAMPLE), {})).toThrow(secrets()[0]);
  });
});
