import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const FOLDER = 'docs/images/';
const MOST_BYTES = 200_000;

const shown = [...readFileSync(join(ROOT, 'README.md'), 'utf8').matchAll(/!\[([^\]]*)\]\(([^)\s]+)\)/g)].map(
  ([, alt = '', path = '']) => ({ alt, path }),
);
const kept = readdirSync(join(ROOT, FOLDER)).map((name) => `${FOLDER}${name}`);

test('the-readme-shows-every-picture-that-is-kept-and-no-other', () => {
  expect(kept).not.toEqual([]);
  expect(shown.map(({ path }) => path).toSorted()).toEqual(kept.toSorted());
});

test('every-picture-says-in-words-what-it-shows', () => {
  expect(shown.filter(({ alt }) => alt.length < 20)).toEqual([]);
});

test('every-picture-is-a-png-that-a-clone-can-afford', () => {
  for (const path of kept) {
    const bytes = readFileSync(join(ROOT, path));
    expect(bytes.subarray(1, 4).toString(), path).toBe('PNG');
    expect(bytes.length, path).toBeLessThan(MOST_BYTES);
  }
});
