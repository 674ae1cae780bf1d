import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { assemble, toMarkdown } from '../../src/postmortem/postmortem.ts';
import type { PostmortemRecord } from '../../src/postmortem/record.ts';
import { cost } from './cost-record.ts';
import { outage } from './outage-record.ts';
import { names } from './people.ts';
import { quality } from './quality-record.ts';
import { safety } from './safety-record.ts';

const records: Readonly<Record<string, PostmortemRecord>> = { outage, quality, cost, safety };

// When a wording changes on purpose: UPDATE_GOLDEN=1 npx vitest run test/golden, then read what changed.
it.each(Object.entries(records))('the post-mortem of a fixed %s reads as it was reviewed', (name, record) => {
  const file = join(import.meta.dirname, `${name}.md`);
  const markdown = toMarkdown(assemble(record, { names }));
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, markdown);
  expect(
    markdown,
    'The document has changed. If that is wanted: UPDATE_GOLDEN=1 npx vitest run test/golden, and read the difference aloud.',
  ).toBe(readFileSync(file, 'utf8'));
});
